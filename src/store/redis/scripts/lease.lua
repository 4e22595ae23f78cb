#!lua flags=allow-oom
-- Takes the mailbox whose turn it is. An expired lease is simply a mailbox that became ready again.
-- allow-oom: a full memory is only emptied by handling what is in it.
-- KEYS[1] base · ARGV offset ms, ttl ms, token, how far ahead of its pace a place may be in ms
-- Returns {mailbox, now, state, input, journal, attempt, turns that nobody ended, next}; without a mailbox only next counts.
-- Without the founding mark nothing is handed out: false.
if redis.call('EXISTS', base .. 'founded') == 0 then return false end
local ahead = ARGV[4] * 1000

-- A place whose time proves too early gets the right one, and the next is looked at: that is paid for by whoever moved it.
local function pick()
  while true do
    local team, at = first(base .. 'turns')
    if not team or at > now then return nil, at end
    local place = first(base .. 'turns:' .. team)
    local mailbox, due = first(base .. 'ready:' .. place)
    local open = paced_until(place) - ahead
    if mailbox and due <= now and open <= now then return mailbox, due, place, team end
    settle(place, team, open > now and open or nil)
  end
end

local mailbox, at, place, team = pick()
if not mailbox then return {false, 0, false, false, {}, 0, 0, at and us(at) or false} end

local box = base .. 'box:' .. mailbox
local hand = redis.call('HGET', box, 'h')
local input = false
-- A wake that was interrupted goes on as a wake, even if inputs have come since: the journal is the wake's.
if hand ~= 'w' then input = redis.call('LINDEX', base .. 'in:' .. mailbox, 0) end
redis.call('HSET', box, 't', ARGV[3], 'h', input and 'i' or 'w')
local attempt = redis.call('HINCRBY', box, 'a', 1)
local cut_off = redis.call('HINCRBY', box, 'c', 1) - 1
redis.call('ZADD', base .. 'ready:' .. place, us(now + ARGV[2] * 1000), mailbox)
settle(place, team, now, now)
redis.call('SET', base .. 'clock', us(now))
return {
  mailbox, us(now), redis.call('HGET', box, 's'), input, redis.call('HGETALL', base .. 'journal:' .. mailbox),
  attempt, cut_off, false,
}
