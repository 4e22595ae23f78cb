#!lua flags=allow-oom
-- Gives the lease back, keeping input, journal and attempts, to be taken again at a given time. 'h' stays: it keeps
-- new inputs from bringing the mailbox forward.
-- KEYS[1] base · ARGV offset ms, mailbox, token, until us. Returns 0 when the lease is lost.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2] + ARGV[1] * 1000 -- microseconds, moved by the caller's clock (zero in production)
local base, mailbox = KEYS[1], ARGV[2]
local box = base .. 'box:' .. mailbox
if redis.call('HGET', box, 't') ~= ARGV[3] then return 0 end
redis.call('HDEL', box, 't')
redis.call('ZADD', base .. 'ready', string.format('%.0f', math.max(now, tonumber(ARGV[4]))), mailbox)
return 1
