#!lua flags=allow-oom
-- Writes the shard's founding mark: since when (us). KEYS[1] base · ARGV offset ms
redis.call('SET', base .. 'founded', us(now))
return 1
