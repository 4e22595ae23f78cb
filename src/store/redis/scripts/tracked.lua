#!lua flags=no-writes
-- Sessions of one activity in byte order. KEYS[1] base · ARGV activity, '(after' or '-', limit
-- Returns session, mailbox, session, mailbox, …
local base, rows = KEYS[1], {}
for _, session in ipairs(redis.call('ZRANGEBYLEX', base .. 'track:' .. ARGV[1], ARGV[2], '+', 'LIMIT', 0, ARGV[3])) do
  rows[#rows + 1] = session
  rows[#rows + 1] = redis.call('HGET', base .. 'tracked', session)
end
return rows
