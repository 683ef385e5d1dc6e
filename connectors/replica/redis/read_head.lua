-- KEYS: view, then state, watermark and blocked, or none of them. Answers, all of one moment, the
-- view's Redis type, its size, its bytes if it is a string, the state's version (an error: another
-- program's key), the watermark, the block, and whether there is a state.

local call, view = redis.call, KEYS[1]
local found, size, bytes = call('TYPE', view).ok, 0, 0
if found == 'string' then size, bytes = 1, call('STRLEN', view)
elseif found == 'set' then size = call('SCARD', view)
elseif found == 'hash' then size = call('HLEN', view)
elseif found == 'zset' then size = call('ZCARD', view)
elseif found == 'list' then size = call('LLEN', view) end
if #KEYS == 1 then return {found, size, bytes} end
return {found, size, bytes, redis.pcall('HGET', KEYS[2], 'version'), call('HGETALL', KEYS[3]),
        call('HGET', KEYS[4], view), call('EXISTS', KEYS[2])}
