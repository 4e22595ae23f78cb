#!lua
-- Puts a dead letter back at the end of its mailbox. KEYS[1] base · ARGV offset ms, id
-- Returns 1, or 0 when there is none of that id or it has no mailbox.
local id = ARGV[2]
local letter = redis.call('HMGET', base .. 'dead:' .. id, 'mailbox', 'input')
local mailbox, input = letter[1], letter[2]
if not mailbox then return 0 end
if redis.call('RPUSH', base .. 'in:' .. mailbox, input) == 1 and redis.call('HEXISTS', base .. 'box:' .. mailbox, 'h') == 0 then
  bring_forward(mailbox, now)
end
redis.call('DEL', base .. 'dead:' .. id)
redis.call('ZREM', base .. 'dead', id)
return 1
