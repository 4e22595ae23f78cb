#!lua flags=no-writes
-- One row of a register. KEYS[1] base · ARGV register, name. Returns {{name, at, value}} or {}
local at = redis.call('ZSCORE', KEYS[1] .. 'register:' .. ARGV[1], ARGV[2])
if not at then return {} end
return {{ARGV[2], string.format('%.0f', at), redis.call('HGET', KEYS[1] .. 'rows:' .. ARGV[1], ARGV[2])}}
