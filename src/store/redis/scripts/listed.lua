#!lua flags=no-writes
-- Mailboxes under a word, newest first. KEYS[1] base · ARGV word, from us or '+inf', after name or '', limit
-- Returns {{mailbox, at, state}, …}
local base, rows, offset = KEYS[1], {}, 0
local wanted = tonumber(ARGV[4])
while #rows < wanted do
  local found = redis.call('ZREVRANGEBYSCORE', base .. 'list:' .. ARGV[1], ARGV[2], '-inf', 'WITHSCORES', 'LIMIT', offset, wanted)
  if #found == 0 then break end
  for i = 1, #found, 2 do
    local name, at = found[i], found[i + 1]
    local past = ARGV[3] == '' or tonumber(at) < tonumber(ARGV[2]) or name < ARGV[3]
    if past and #rows < wanted then
      rows[#rows + 1] = {name, string.format('%.0f', at), redis.call('HGET', base .. 'box:' .. name, 's')}
    end
  end
  offset = offset + wanted
end
return rows
