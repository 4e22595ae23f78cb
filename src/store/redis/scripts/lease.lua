#!lua flags=allow-oom
-- Takes the mailbox that has been ready longest. An expired lease is simply a mailbox that became ready again.
-- allow-oom: a full memory is only emptied by handling what is in it.
-- KEYS[1] base · ARGV offset ms, ttl ms, token
-- Returns {mailbox, state, input, journal, attempt, next}; without a mailbox only next counts.
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2] + ARGV[1] * 1000 -- microseconds, moved by the caller's clock (zero in production)
local base = KEYS[1]
local first = redis.call('ZRANGE', base .. 'ready', 0, 0, 'WITHSCORES')
if #first == 0 then return {false, false, false, {}, 0, false} end
local mailbox, at = first[1], first[2]
if tonumber(at) > now then return {false, false, false, {}, 0, at} end

local box = base .. 'box:' .. mailbox
local hand = redis.call('HGET', box, 'h')
local input = false
-- A wake that was interrupted goes on as a wake, even if inputs have come since: the journal is the wake's.
if hand ~= 'w' then input = redis.call('LINDEX', base .. 'in:' .. mailbox, 0) end
redis.call('HSET', box, 't', ARGV[3], 'h', input and 'i' or 'w')
local attempt = redis.call('HINCRBY', box, 'a', 1)
redis.call('ZADD', base .. 'ready', string.format('%.0f', now + ARGV[2] * 1000), mailbox)
return {mailbox, redis.call('HGET', box, 's'), input, redis.call('HGETALL', base .. 'journal:' .. mailbox), attempt, false}
