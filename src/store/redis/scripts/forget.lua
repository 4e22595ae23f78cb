#!lua flags=allow-oom
-- Forgets a value. KEYS[1] base · ARGV key
return redis.call('DEL', KEYS[1] .. 'memo:' .. ARGV[1])
