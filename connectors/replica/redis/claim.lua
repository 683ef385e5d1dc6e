-- KEYS: consumer. ARGV: a region, milliseconds. Whose the claim is. One that never ends is no
-- consumer's: another program left it, and it must not stop the region for ever. (A user may lack
-- PTTL: then it counts.)

local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] and redis.pcall('PTTL', KEYS[1]) ~= -1 then return held end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
