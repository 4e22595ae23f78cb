#!lua flags=allow-oom
-- Ends a turn: drops the input in hand and its journal, writes the state, gives the lease back.
-- With a reason it buries: the input goes to the dead letters in the same step.
-- KEYS[1] base · ARGV offset ms, mailbox, token, '1' = new state, state, wake us or '', session or '', activity,
--                '1' = bury, reason, '1' = listing, its time us, its words, longest story, how long that is kept ms,
--                then the story's new entries. Returns 0 when the lease is lost.
local mailbox = ARGV[2]
local box, waiting = base .. 'box:' .. mailbox, base .. 'in:' .. mailbox
local turn = redis.call('HMGET', box, 't', 'h', 'a')
if turn[1] ~= ARGV[3] then return 0 end

if turn[2] == 'i' then
  local input = redis.call('LPOP', waiting)
  if ARGV[9] == '1' and input then
    local id, at = cjson.decode(input).id, us(now)
    redis.call('HSET', base .. 'dead:' .. id, 'v', 1, 'mailbox', mailbox, 'input', input, 'at', at,
      'why', ARGV[10], 'attempts', turn[3])
    redis.call('ZADD', base .. 'dead', at, id)
  end
end
redis.call('DEL', base .. 'journal:' .. mailbox)
redis.call('HDEL', box, 't', 'h', 'a', 'c')
redis.call('ZREM', base .. 'retried', mailbox)
if ARGV[4] == '1' then redis.call('HSET', box, 's', ARGV[5]) end
if ARGV[11] == '1' then enlist(mailbox, ARGV[12], ARGV[13]) end
if #ARGV > 15 then
  local story = base .. 'story:' .. mailbox
  for note = 16, #ARGV do redis.call('RPUSH', story, ARGV[note]) end
  redis.call('LTRIM', story, -ARGV[14], -1)
  redis.call('PEXPIRE', story, ARGV[15])
end

if redis.call('EXISTS', waiting) == 1 then
  schedule(mailbox, now)
elseif ARGV[6] ~= '' then
  schedule(mailbox, math.max(now, tonumber(ARGV[6])))
else
  unschedule(mailbox)
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
