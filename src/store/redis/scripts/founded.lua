#!lua flags=no-writes
-- Whether the shard has its founding mark. KEYS[1] base
return redis.call('EXISTS', KEYS[1] .. 'founded')
