#!lua flags=no-writes
-- How many mailboxes are ready, and since when (us) the first has been. KEYS[1] base · ARGV offset ms
local count, oldest, limit = 0, false, us(now)
for _, team in ipairs(redis.call('ZRANGE', base .. 'turns', '-inf', limit, 'BYSCORE')) do
  for _, place in ipairs(redis.call('ZRANGE', base .. 'turns:' .. team, '-inf', limit, 'BYSCORE')) do
    local ready = redis.call('ZCOUNT', base .. 'ready:' .. place, '-inf', limit)
    if ready > 0 then
      local _, at = first(base .. 'ready:' .. place)
      count, oldest = count + ready, math.min(oldest or at, at)
    end
  end
end
return {count, oldest and us(oldest)}
