#!lua flags=no-writes
-- A remembered value: '<deadline us> <value>'. The deadline counts; the key's own expiry is hygiene.
-- KEYS[1] base · ARGV offset ms, key
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2] + ARGV[1] * 1000 -- microseconds, moved by the caller's clock (zero in production)
local stored = redis.call('GET', KEYS[1] .. 'memo:' .. ARGV[2])
if not stored then return false end
local gap = string.find(stored, ' ', 1, true)
if tonumber(string.sub(stored, 1, gap - 1)) <= now then return false end
return string.sub(stored, gap + 1)
