#!lua
-- Remembers a value for a time. KEYS[1] base · ARGV offset ms, key, value, ttl ms
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2] + ARGV[1] * 1000 -- microseconds, moved by the caller's clock (zero in production)
local deadline = string.format('%.0f', now + ARGV[4] * 1000)
redis.call('SET', KEYS[1] .. 'memo:' .. ARGV[2], deadline .. ' ' .. ARGV[3], 'PX', ARGV[4])
return 1
