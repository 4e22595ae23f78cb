#!lua
-- Lists a mailbox that is not listed. KEYS[1] base · ARGV offset ms, mailbox, state, time us, words
-- Returns 0 when it is listed, or has another state by now.
if redis.call('HEXISTS', base .. 'listed', ARGV[2]) == 1 then return 0 end
if redis.call('HGET', base .. 'box:' .. ARGV[2], 's') ~= ARGV[3] then return 0 end
enlist(ARGV[2], ARGV[4], ARGV[5])
return 1
