#!lua
-- Remembers a value for a time. KEYS[1] base · ARGV offset ms, key, value, ttl ms
local deadline = us(now + ARGV[4] * 1000)
redis.call('SET', base .. 'memo:' .. ARGV[2], deadline .. ' ' .. ARGV[3], 'PX', ARGV[4])
return 1
