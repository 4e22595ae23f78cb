#!lua flags=no-writes
-- How many sessions there are of each activity. KEYS[1] base · ARGV activities…
local counts = {}
for i, activity in ipairs(ARGV) do
  counts[i] = redis.call('ZCARD', KEYS[1] .. 'track:' .. activity)
end
return counts
