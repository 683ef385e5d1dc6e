-- KEYS: watermark, hlc, blocked, lowest. ARGV: how many blocked keys are told one by one.

local few = redis.call('HLEN', KEYS[3]) <= tonumber(ARGV[1])
local known = few or redis.call('HGET', KEYS[4], 'made')
return {redis.call('HGETALL', KEYS[1]), redis.call('GET', KEYS[2]), few and 1 or known and 0 or -1,
        redis.call('HGETALL', few and KEYS[3] or KEYS[4])}
