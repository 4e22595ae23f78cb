#!lua flags=no-writes
-- Mailboxes that have a state and are not listed, some of them. KEYS[1] base · ARGV where to go on, how many to look at
-- Returns {where to go on, {mailbox, state, …}}
local base, rows = KEYS[1], {}
local found = redis.call('SCAN', ARGV[1], 'MATCH', base .. 'box:*', 'COUNT', ARGV[2])
for _, key in ipairs(found[2]) do
  local mailbox = string.sub(key, #base + 5)
  local state = redis.call('HGET', key, 's')
  if state and redis.call('HEXISTS', base .. 'listed', mailbox) == 0 then
    rows[#rows + 1] = mailbox
    rows[#rows + 1] = state
  end
end
return {found[1], rows}
