#!lua
-- Refuses what was seen, else remembers its ids, appends the input and makes the mailbox ready.
-- No allow-oom: when memory is full the door must answer 503, not take what could not be finished.
-- KEYS[1] base · ARGV offset ms, mailbox, input, '1' = only if known, '1' = touch on duplicate, memory ms, ids…
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2] + ARGV[1] * 1000 -- microseconds, moved by the caller's clock (zero in production)
local base, mailbox = KEYS[1], ARGV[2]
local box, waiting = base .. 'box:' .. mailbox, base .. 'in:' .. mailbox

for i = 7, #ARGV do
  local until_us = redis.call('GET', base .. 'seen:' .. ARGV[i])
  if until_us and tonumber(until_us) > now then
    -- WAIT covers the writes of its own connection: write something behind the input that is already there.
    if ARGV[5] == '1' then redis.call('SET', base .. 'probe', '1', 'PX', 10000) end
    return 1
  end
end
if ARGV[4] == '1' and redis.call('HEXISTS', box, 's') == 0 and redis.call('EXISTS', waiting) == 0 then
  return 2
end

local forget_at = string.format('%.0f', now + ARGV[6] * 1000)
for i = 7, #ARGV do
  redis.call('SET', base .. 'seen:' .. ARGV[i], forget_at, 'PX', ARGV[6])
end
redis.call('RPUSH', waiting, ARGV[3])
-- 'h' (what is in hand) is there while the mailbox is leased or deferred: its time is then not ours to move.
if redis.call('HEXISTS', box, 'h') == 0 then
  redis.call('ZADD', base .. 'ready', 'LT', string.format('%.0f', now), mailbox)
end
return 0
