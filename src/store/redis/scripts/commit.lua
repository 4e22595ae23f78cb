#!lua flags=allow-oom
-- Ends a turn: drops the input in hand and its journal, writes the state, gives the lease back.
-- With a reason it buries: the input goes to the dead letters in the same step.
-- KEYS[1] base · ARGV offset ms, mailbox, token, '1' = new state, state, wake us or '', session or '', activity,
--                '1' = bury, reason. Returns 0 when the lease is lost.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2] + ARGV[1] * 1000 -- microseconds, moved by the caller's clock (zero in production)
local base, mailbox = KEYS[1], ARGV[2]
local box, waiting, ready = base .. 'box:' .. mailbox, base .. 'in:' .. mailbox, base .. 'ready'
local turn = redis.call('HMGET', box, 't', 'h', 'a')
if turn[1] ~= ARGV[3] then return 0 end

if turn[2] == 'i' then
  local input = redis.call('LPOP', waiting)
  if ARGV[9] == '1' and input then
    local id, at = cjson.decode(input).id, string.format('%.0f', now)
    redis.call('HSET', base .. 'dead:' .. id, 'v', 1, 'mailbox', mailbox, 'input', input, 'at', at,
      'why', ARGV[10], 'attempts', turn[3])
    redis.call('ZADD', base .. 'dead', at, id)
  end
end
redis.call('DEL', base .. 'journal:' .. mailbox)
redis.call('HDEL', box, 't', 'h', 'a')
if ARGV[4] == '1' then redis.call('HSET', box, 's', ARGV[5]) end

if redis.call('EXISTS', waiting) == 1 then
  redis.call('ZADD', ready, string.format('%.0f', now), mailbox)
elseif ARGV[6] ~= '' then
  redis.call('ZADD', ready, string.format('%.0f', math.max(now, tonumber(ARGV[6]))), mailbox)
else
  redis.call('ZREM', ready, mailbox)
end

local session = ARGV[7]
if session ~= '' then
  for _, activity in ipairs({'working', 'waiting', 'asleep'}) do
    if activity == ARGV[8] then
      redis.call('ZADD', base .. 'track:' .. activity, 0, session)
    else
      redis.call('ZREM', base .. 'track:' .. activity, session)
    end
  end
  if ARGV[8] == 'over' then
    redis.call('HDEL', base .. 'tracked', session)
  else
    redis.call('HSET', base .. 'tracked', session, mailbox)
  end
end
return 1
