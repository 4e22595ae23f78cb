#!lua flags=allow-oom
-- Prolongs a lease. KEYS[1] base · ARGV offset ms, mailbox, token, ttl ms. Returns 0 when the lease is lost.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2] + ARGV[1] * 1000 -- microseconds, moved by the caller's clock (zero in production)
local base, mailbox = KEYS[1], ARGV[2]
if redis.call('HGET', base .. 'box:' .. mailbox, 't') ~= ARGV[3] then return 0 end
redis.call('ZADD', base .. 'ready', string.format('%.0f', now + ARGV[4] * 1000), mailbox)
return 1
