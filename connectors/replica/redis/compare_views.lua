-- KEYS: (state, view) …. Answers (the view's type, its members, the state's version, whether there
-- is a state) of each.

local answers, lengths = {}, {set = 'SCARD', hash = 'HLEN', zset = 'ZCARD', list = 'LLEN'}
for k = 1, #KEYS, 2 do
  local found = redis.call('TYPE', KEYS[k + 1]).ok
  local size = lengths[found] and redis.call(lengths[found], KEYS[k + 1]) or 0
  answers[#answers + 1] = {found, size, redis.pcall('HGET', KEYS[k], 'version'),
                           redis.call('EXISTS', KEYS[k])}
end
return answers
