#!lua flags=no-writes
-- The state of a mailbox. KEYS[1] base · ARGV mailbox
return redis.call('HGET', KEYS[1] .. 'box:' .. ARGV[1], 's')
