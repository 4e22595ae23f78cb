#!lua flags=allow-oom
-- Prolongs a lease. KEYS[1] base · ARGV offset ms, mailbox, token, ttl ms. Returns 0 when the lease is lost.
local mailbox = ARGV[2]
if redis.call('HGET', base .. 'box:' .. mailbox, 't') ~= ARGV[3] then return 0 end
schedule(mailbox, now + ARGV[4] * 1000)
return 1
