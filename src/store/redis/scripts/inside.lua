#!lua flags=no-writes
-- A mailbox from inside. KEYS[1] base · ARGV offset ms, mailbox, waiting inputs at most
-- Returns {state, token, hand, attempts, cut off, ready us, journal, waiting inputs, how many wait, story}
local mailbox = ARGV[2]
local box, waiting = redis.call('HMGET', base .. 'box:' .. mailbox, 's', 't', 'h', 'a', 'c'), base .. 'in:' .. mailbox
local ready = redis.call('ZSCORE', base .. 'ready:' .. (where(mailbox)), mailbox)
return {
  box[1], box[2], box[3], box[4], box[5], ready and us(ready),
  redis.call('HGETALL', base .. 'journal:' .. mailbox), redis.call('LRANGE', waiting, 0, ARGV[3] - 1),
  redis.call('LLEN', waiting), redis.call('LRANGE', base .. 'story:' .. mailbox, 0, -1),
}
