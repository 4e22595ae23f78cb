#!lua
-- Proves that writes are taken: a read-only replica or a full memory fails here. KEYS[1] base
redis.call('SET', KEYS[1] .. 'probe', '1', 'PX', 10000)
return 1
