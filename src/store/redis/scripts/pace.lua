#!lua flags=allow-oom
-- Asks to post into a place, whose posts are one 'every' apart on average; 'ahead' is how far a burst may go beyond that.
-- 'pace:<place>' is when the place is even with its average again (the theoretical arrival time of GCRA).
-- KEYS[1] base · ARGV offset ms, place, every ms, ahead ms. Returns 0 (go), or when (us) to ask again.
local place, every, ahead = ARGV[2], ARGV[3] * 1000, ARGV[4] * 1000
local even = math.max(paced_until(place), now)
if even - ahead > now then return us(even - ahead) end
even = even + every
redis.call('SET', base .. 'pace:' .. place, us(even), 'PX', us((even - now) / 1000 + 1))
return '0'
