#!lua flags=no-writes
-- How many mailboxes are ready, and since when (us) the first has been. KEYS[1] base · ARGV offset ms
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2] + ARGV[1] * 1000 -- microseconds, moved by the caller's clock (zero in production)
local ready = KEYS[1] .. 'ready'
local count = redis.call('ZCOUNT', ready, '-inf', string.format('%.0f', now))
if count == 0 then return {0, false} end
return {count, redis.call('ZRANGE', ready, 0, 0, 'WITHSCORES')[2]}
