#!lua
-- Notes the run id of the server: '<since us> <id>'. One that is the first of all has nothing to forget.
-- KEYS[1] base · ARGV offset ms, run id, forgetful for ms. Returns for how long it still counts as forgetful (ms).
local key = base .. 'run'
local met = redis.call('GET', key)
local since, id = string.match(met or '0 ' .. ARGV[2], '^(%d+) (.*)$')
if not met or id ~= ARGV[2] then
  if met then since = now end
  redis.call('SET', key, us(since) .. ' ' .. ARGV[2])
end
return math.max(0, math.floor(ARGV[3] - (now - since) / 1000))
