#!lua flags=no-writes
-- How many mailboxes there are under each word. KEYS[1] base · ARGV words
local counts = {}
for i, word in ipairs(ARGV) do counts[i] = redis.call('ZCARD', KEYS[1] .. 'list:' .. word) end
return counts
