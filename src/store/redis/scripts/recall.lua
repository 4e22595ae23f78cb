#!lua flags=no-writes
-- A remembered value: '<deadline us> <value>'. The deadline counts; the key's own expiry is hygiene.
-- KEYS[1] base · ARGV offset ms, key
local stored = redis.call('GET', base .. 'memo:' .. ARGV[2])
if not stored then return false end
local gap = string.find(stored, ' ', 1, true)
if tonumber(string.sub(stored, 1, gap - 1)) <= now then return false end
return string.sub(stored, gap + 1)
