#!lua flags=allow-oom
-- Sets aside the input in hand, which cannot be read, and gives the lease back with the mailbox ready again.
-- KEYS[1] base · ARGV offset ms, mailbox, token, id, input, reason. Returns 0 when the lease is lost.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2] + ARGV[1] * 1000 -- microseconds, moved by the caller's clock (zero in production)
local base, mailbox, id, at = KEYS[1], ARGV[2], ARGV[4], string.format('%.0f', now)
local box = base .. 'box:' .. mailbox
if redis.call('HGET', box, 't') ~= ARGV[3] then return 0 end
redis.call('LPOP', base .. 'in:' .. mailbox)
redis.call('HSET', base .. 'dead:' .. id, 'v', 1, 'input', ARGV[5], 'at', at, 'why', ARGV[6], 'attempts', 0)
redis.call('ZADD', base .. 'dead', at, id)
redis.call('DEL', base .. 'journal:' .. mailbox)
redis.call('HDEL', box, 't', 'h', 'a')
redis.call('ZADD', base .. 'ready', at, mailbox)
return 1
