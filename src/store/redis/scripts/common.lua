-- What the scripts share; put behind the first line of each by scripts.rs. ARGV[1] is always the offset in ms.
--
-- Whose turn it is, is decided on three levels, each a sorted set by time (us): 'turns' has the workspaces, 'turns:<workspace>'
-- its places (a channel, a person), 'ready:<place>' the mailboxes. The score of a workspace or place is when its first mailbox
-- is due, or when it was last served, if that is later: who has just had a turn goes behind everybody who waits, so that a
-- flood in one of them costs the others nothing. Such a score may be too early, never too late; leasing puts it right.
local base = KEYS[1]
local t = redis.call('TIME')
-- Microseconds, moved by the caller's clock (zero in production). When the server's clock is set back, time stands still
-- until that catches up: leases stay exclusive, and what was ready stays ready.
local now = math.max(t[1] * 1000000 + t[2] + ARGV[1] * 1000, tonumber(redis.call('GET', base .. 'clock') or 0))

local function us(at) return string.format('%.0f', at) end

-- The place of a mailbox and its workspace: 'thread:T1/C1/17.1' -> 'T1/C1', 'T1'.
local function where(mailbox)
  return string.match(mailbox, '^%a+:(([^/]+)/?[^/]*)')
end

-- The first member of a sorted set and its time, or nil.
local function first(key)
  local row = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return row[1], tonumber(row[2])
end

-- Makes a mailbox ready at a time that is not later than before: for the door, whose every call counts.
local function bring_forward(mailbox, at)
  local place, team = where(mailbox)
  at = us(at)
  redis.call('ZADD', base .. 'ready:' .. place, at, mailbox)
  redis.call('ZADD', base .. 'turns:' .. team, 'LT', at, place)
  redis.call('ZADD', base .. 'turns', 'LT', at, team)
end

-- Gives a place and its workspace their next times: when the first below is due, but not before the floor. Without a floor
-- that is the time of the last turn, which is what is there unless it lies ahead. Without anything below they leave no key.
local function settle(place, team, place_floor, team_floor)
  local function one(key, member, below, floor)
    local _, at = first(below)
    if not at then return redis.call('ZREM', key, member) end
    if not floor then
      local last = tonumber(redis.call('ZSCORE', key, member) or 0)
      floor = last <= now and last or 0
    end
    redis.call('ZADD', key, us(math.max(at, floor)), member)
  end
  one(base .. 'turns:' .. team, place, base .. 'ready:' .. place, place_floor)
  one(base .. 'turns', team, base .. 'turns:' .. team, team_floor)
end

-- Makes a mailbox ready at a time, replacing an earlier one.
local function schedule(mailbox, at)
  local place, team = where(mailbox)
  redis.call('ZADD', base .. 'ready:' .. place, us(at), mailbox)
  settle(place, team)
end

-- Takes a mailbox out: nothing waits in it.
local function unschedule(mailbox)
  local place, team = where(mailbox)
  redis.call('ZREM', base .. 'ready:' .. place, mailbox)
  settle(place, team)
end

-- When a place may have its next turn: posts into it are paced, see pace.lua.
local function paced_until(place)
  return tonumber(redis.call('GET', base .. 'pace:' .. place) or 0)
end

-- Lists a mailbox under words (one a line; one may have a rank behind a tab, which takes the place of the time) by a time,
-- in the place of where it was listed before; '' takes it out.
local function enlist(mailbox, at, words)
  local listed, new = base .. 'listed', at .. '\n' .. words
  local old = redis.call('HGET', listed, mailbox)
  if old == new then return end
  if old then
    for line in string.gmatch(string.match(old, '\n(.*)'), '[^\n]+') do
      redis.call('ZREM', base .. 'list:' .. string.match(line, '[^\t]+'), mailbox)
    end
  end
  for line in string.gmatch(words, '[^\n]+') do
    local word, rank = string.match(line, '([^\t]+)\t?(.*)')
    redis.call('ZADD', base .. 'list:' .. word, rank == '' and at or rank, mailbox)
  end
  if words == '' then redis.call('HDEL', listed, mailbox) else redis.call('HSET', listed, mailbox, new) end
end
