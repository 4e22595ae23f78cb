#!lua
-- Sets aside an input that never had a mailbox. KEYS[1] base · ARGV offset ms, id, input, reason
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2] + ARGV[1] * 1000 -- microseconds, moved by the caller's clock (zero in production)
local base, id, at = KEYS[1], ARGV[2], string.format('%.0f', now)
redis.call('HSET', base .. 'dead:' .. id, 'v', 1, 'input', ARGV[3], 'at', at, 'why', ARGV[4], 'attempts', 0)
redis.call('ZADD', base .. 'dead', at, id)
return 1
