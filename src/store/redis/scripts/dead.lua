#!lua flags=no-writes
-- The dead letters, newest first. KEYS[1] base · ARGV limit. Returns {{at, v, mailbox, input, why, attempts}, …}
local base, letters = KEYS[1], {}
for _, id in ipairs(redis.call('ZREVRANGE', base .. 'dead', 0, ARGV[1] - 1)) do
  letters[#letters + 1] = redis.call('HMGET', base .. 'dead:' .. id, 'at', 'v', 'mailbox', 'input', 'why', 'attempts')
end
return letters
