#!lua
-- Puts a dead letter back at the end of its mailbox. KEYS[1] base · ARGV offset ms, id
-- Returns 1, or 0 when there is none of that id or it has no mailbox.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2] + ARGV[1] * 1000 -- microseconds, moved by the caller's clock (zero in production)
local base, id = KEYS[1], ARGV[2]
local letter = redis.call('HMGET', base .. 'dead:' .. id, 'mailbox', 'input')
local mailbox, input = letter[1], letter[2]
if not mailbox then return 0 end
redis.call('RPUSH', base .. 'in:' .. mailbox, input)
if redis.call('HEXISTS', base .. 'box:' .. mailbox, 'h') == 0 then
  redis.call('ZADD', base .. 'ready', 'LT', string.format('%.0f', now), mailbox)
end
redis.call('DEL', base .. 'dead:' .. id)
redis.call('ZREM', base .. 'dead', id)
return 1
