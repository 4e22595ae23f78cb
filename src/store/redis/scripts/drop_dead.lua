#!lua flags=allow-oom
-- Forgets a dead letter. KEYS[1] base · ARGV id. Returns 0 when there is none of that id.
redis.call('ZREM', KEYS[1] .. 'dead', ARGV[1])
return redis.call('DEL', KEYS[1] .. 'dead:' .. ARGV[1])
