#!lua
-- Takes or keeps the single right to do something: '<deadline us> <holder>'.
-- KEYS[1] base · ARGV offset ms, name, holder, ttl ms. Returns 1 when the holder has it.
local key = base .. 'hold:' .. ARGV[2]
local held = redis.call('GET', key)
if held then
  local gap = string.find(held, ' ', 1, true)
  if tonumber(string.sub(held, 1, gap - 1)) > now and string.sub(held, gap + 1) ~= ARGV[3] then return 0 end
end
redis.call('SET', key, us(now + ARGV[4] * 1000) .. ' ' .. ARGV[3], 'PX', ARGV[4])
return 1
