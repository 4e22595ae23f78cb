#!lua flags=no-writes
-- A page of a sorted set, newest first, each member with what a hash says of it: the hash's field of its name, or without a
-- hash its mailbox's state. KEYS[1] base · ARGV set, from us or '+inf', after name or '', limit, hash or ''
-- Returns {{name, at, value}, …}
local base, rows, offset = KEYS[1], {}, 0
local wanted = tonumber(ARGV[4])

local function value(name)
  if ARGV[5] == '' then return redis.call('HGET', base .. 'box:' .. name, 's') end
  return redis.call('HGET', base .. ARGV[5], name)
end

while #rows < wanted do
  local found = redis.call('ZREVRANGEBYSCORE', base .. ARGV[1], ARGV[2], '-inf', 'WITHSCORES', 'LIMIT', offset, wanted)
  if #found == 0 then break end
  for i = 1, #found, 2 do
    local name, at = found[i], found[i + 1]
    local past = ARGV[3] == '' or tonumber(at) < tonumber(ARGV[2]) or name < ARGV[3]
    if past and #rows < wanted then rows[#rows + 1] = {name, string.format('%.0f', at), value(name)} end
  end
  offset = offset + wanted
end
return rows
