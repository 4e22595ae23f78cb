#!lua
-- Sets aside an input that never had a mailbox. KEYS[1] base · ARGV offset ms, id, input, reason
local id, at = ARGV[2], us(now)
redis.call('HSET', base .. 'dead:' .. id, 'v', 1, 'input', ARGV[3], 'at', at, 'why', ARGV[4], 'attempts', 0)
redis.call('ZADD', base .. 'dead', at, id)
return 1
