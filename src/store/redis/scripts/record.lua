#!lua flags=allow-oom
-- Writes one step's record into the journal: begin and finish.
-- KEYS[1] base · ARGV mailbox, token, step, record. Returns 0 when the lease is lost.
local base, mailbox = KEYS[1], ARGV[1]
if redis.call('HGET', base .. 'box:' .. mailbox, 't') ~= ARGV[2] then return 0 end
redis.call('HSET', base .. 'journal:' .. mailbox, ARGV[3], ARGV[4])
return 1
