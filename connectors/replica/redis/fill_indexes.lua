-- Few at a time: a parked message may have megabytes, and others wait for a script.
--
-- KEYS: parked, its index by id, and the one by key. ARGV: a cursor.

local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', '8')
local found = page[2]
for i = 1, #found, 2 do
  redis.call('ZADD', KEYS[2], 0, found[i])
  local size = tonumber(string.sub(found[i + 1], 1, 8), 16)
  if size then
    redis.call('ZADD', KEYS[3], 0, string.sub(found[i + 1], 1, 8 + size) .. found[i])
  end
end
return page[1]
