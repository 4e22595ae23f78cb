#!lua flags=no-writes
-- One dead letter. KEYS[1] base · ARGV id. Returns {{at, v, mailbox, input, why, attempts}} or {}
local key = KEYS[1] .. 'dead:' .. ARGV[1]
if redis.call('EXISTS', key) == 0 then return {} end
return {redis.call('HMGET', key, 'at', 'v', 'mailbox', 'input', 'why', 'attempts')}
