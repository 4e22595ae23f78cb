#!lua flags=allow-oom
-- Sets aside the input in hand, which cannot be read, and gives the lease back with the mailbox ready again.
-- KEYS[1] base · ARGV offset ms, mailbox, token, id, input, reason. Returns 0 when the lease is lost.
local mailbox, id, at = ARGV[2], ARGV[4], us(now)
local box = base .. 'box:' .. mailbox
if redis.call('HGET', box, 't') ~= ARGV[3] then return 0 end
redis.call('LPOP', base .. 'in:' .. mailbox)
redis.call('HSET', base .. 'dead:' .. id, 'v', 1, 'input', ARGV[5], 'at', at, 'why', ARGV[6], 'attempts', 0)
redis.call('ZADD', base .. 'dead', at, id)
redis.call('DEL', base .. 'journal:' .. mailbox)
redis.call('HDEL', box, 't', 'h', 'a', 'c')
redis.call('ZREM', base .. 'retried', mailbox)
schedule(mailbox, now)
return 1
