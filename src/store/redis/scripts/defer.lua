#!lua flags=allow-oom
-- Gives the lease back, keeping input, journal and attempts, to be taken again at a given time. 'h' stays: it keeps
-- new inputs from bringing the mailbox forward. 'retried' knows since when it is tried.
-- KEYS[1] base · ARGV offset ms, mailbox, token, until us, 'tried', 'paced' (the attempt does not count) or 'broke' (like
--                a turn that nobody ended). Returns 0 when the lease is lost.
local mailbox = ARGV[2]
local box = base .. 'box:' .. mailbox
if redis.call('HGET', box, 't') ~= ARGV[3] then return 0 end
redis.call('HDEL', box, 't')
if ARGV[5] == 'paced' then redis.call('HINCRBY', box, 'a', -1) end
if ARGV[5] ~= 'broke' then redis.call('HDEL', box, 'c') end
if ARGV[5] ~= 'paced' then redis.call('ZADD', base .. 'retried', 'NX', us(now), mailbox) end
schedule(mailbox, math.max(now, tonumber(ARGV[4])))
return 1
