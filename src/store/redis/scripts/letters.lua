#!lua flags=no-writes
-- Dead letters, newest first. KEYS[1] base · ARGV from us or '+inf', after id or '', limit
-- Returns {{at, v, mailbox, input, why, attempts}, …}
local base, rows, offset = KEYS[1], {}, 0
local wanted = tonumber(ARGV[3])
while #rows < wanted do
  local found = redis.call('ZREVRANGEBYSCORE', base .. 'dead', ARGV[1], '-inf', 'WITHSCORES', 'LIMIT', offset, wanted)
  if #found == 0 then break end
  for i = 1, #found, 2 do
    local past = ARGV[2] == '' or tonumber(found[i + 1]) < tonumber(ARGV[1]) or found[i] < ARGV[2]
    if past and #rows < wanted then
      rows[#rows + 1] = redis.call('HMGET', base .. 'dead:' .. found[i], 'at', 'v', 'mailbox', 'input', 'why', 'attempts')
    end
  end
  offset = offset + wanted
end
return rows
