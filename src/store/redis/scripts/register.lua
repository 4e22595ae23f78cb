#!lua
-- Changes rows of registers. KEYS[1] base · ARGV offset ms, then for each: 'put' or 'remove', register, name, value, how
-- long rows are kept ms or ''
local at = us(now)
for i = 2, #ARGV, 5 do
  local order, values = base .. 'register:' .. ARGV[i + 1], base .. 'rows:' .. ARGV[i + 1]
  if ARGV[i] == 'put' then
    redis.call('ZADD', order, at, ARGV[i + 2])
    redis.call('HSET', values, ARGV[i + 2], ARGV[i + 3])
    if ARGV[i + 4] ~= '' then
      local old = redis.call('ZRANGE', order, '-inf', '(' .. us(now - ARGV[i + 4] * 1000), 'BYSCORE', 'LIMIT', 0, 100)
      for _, name in ipairs(old) do
        redis.call('ZREM', order, name)
        redis.call('HDEL', values, name)
      end
    end
  else
    redis.call('ZREM', order, ARGV[i + 2])
    redis.call('HDEL', values, ARGV[i + 2])
  end
end
return 1
