#!lua
-- Gives a mailbox its state; inputs and journal stay.
-- KEYS[1] base · ARGV offset ms, mailbox, state, wake us or '', '1' = also in the place of a state that is there
-- Returns 0 when it has a state, or (once founded) inputs that are about to make it.
local mailbox = ARGV[2]
local box = base .. 'box:' .. mailbox
if ARGV[5] ~= '1' then
  if redis.call('HEXISTS', box, 's') == 1 then return 0 end
  local waits = redis.call('EXISTS', base .. 'in:' .. mailbox) == 1
  if waits and redis.call('EXISTS', base .. 'founded') == 1 then return 0 end
end
redis.call('HSET', box, 's', ARGV[3])
if ARGV[4] ~= '' and redis.call('HEXISTS', box, 'h') == 0 then
  local at = math.max(now, tonumber(ARGV[4]))
  local sooner = redis.call('ZSCORE', base .. 'ready:' .. (where(mailbox)), mailbox)
  if not sooner or tonumber(sooner) > at then bring_forward(mailbox, at) end
end
return 1
