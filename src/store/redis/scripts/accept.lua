#!lua
-- Refuses what was seen, else remembers its ids, appends the input and makes the mailbox ready.
-- No allow-oom: when memory is full the door must answer 503, not take what could not be finished.
-- KEYS[1] base · ARGV offset ms, mailbox, input, '1' = only if known, '1' = always write, memory ms, ids…
local mailbox = ARGV[2]
local box, waiting = base .. 'box:' .. mailbox, base .. 'in:' .. mailbox

-- WAIT covers the writes of its own connection: where nothing is to be written, write something all the same.
local function answer(found)
  if ARGV[5] == '1' then redis.call('SET', base .. 'probe', '1', 'PX', 10000) end
  return found
end

local keys = {}
for i = 7, #ARGV do keys[#keys + 1] = base .. 'seen:' .. ARGV[i] end
if #keys > 0 then
  for _, until_us in ipairs(redis.call('MGET', unpack(keys))) do
    if until_us and tonumber(until_us) > now then return answer(1) end
  end
end
if ARGV[4] == '1' and redis.call('HEXISTS', box, 's') == 0 and redis.call('EXISTS', waiting) == 0 then
  -- Before its founding the store does not know what it should know.
  if redis.call('EXISTS', base .. 'founded') == 1 then return answer(2) end
end

local forget_at = us(now + ARGV[6] * 1000)
for _, key in ipairs(keys) do redis.call('SET', key, forget_at, 'PX', ARGV[6]) end
-- Behind another input it is that one's turn that counts. 'h' (what is in hand) is there while the mailbox is leased or
-- deferred: its time is then not ours to move.
if redis.call('RPUSH', waiting, ARGV[3]) == 1 and redis.call('HEXISTS', box, 'h') == 0 then
  bring_forward(mailbox, now)
end
return 0
