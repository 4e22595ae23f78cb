#!lua flags=no-writes
-- How many mailboxes are ready, and since when (us) the first has been; how many are tried again (a thousand at most, those
-- that a program which does not know of this has finished left out), and since when. KEYS[1] base · ARGV offset ms
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
local retried, since = 0, false
local rows = redis.call('ZRANGE', base .. 'retried', 0, 999, 'WITHSCORES')
for i = 1, #rows, 2 do
  if redis.call('HEXISTS', base .. 'box:' .. rows[i], 'h') == 1 then
    retried, since = retried + 1, since or tonumber(rows[i + 1])
  end
end
return {count, oldest and us(oldest), retried, since and us(since)}
