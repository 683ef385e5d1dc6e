-- KEYS: the key, where it may go, then: watermark, actors, progress, blocked, its keys, incomplete,
-- lowest, parked by key. ARGV: the type it must have, how many places there are, what it is, and
-- bytes of a block. Answers nothing when the key is as it should be; else what it was and where it
-- is now. What must not be missing for a moment, since commits would go on without it, is made anew
-- in the same step:
--
-- - Without the watermark, or the records of the actors, an actor would begin anew. A value that is
--   none leaves it in doubt.
-- - Without their blocks, keys would go on without what is parked for them.

local function read(command, key, ...)
  local found = redis.pcall(command, key, ...)
  return type(found) == 'table' and not found.err and found or {}
end
local found = redis.call('TYPE', KEYS[1]).ok
if found == 'none' or found == ARGV[1] then return false end
local places = tonumber(ARGV[2])
local to = KEYS[1 + places]
for n = 2, places + 1 do
  if redis.call('EXISTS', KEYS[n]) == 0 then to = KEYS[n] break end
end
redis.call('RENAME', KEYS[1], to)
local watermark, actors, progress, blocked, blocked_keys, incomplete, lowest, parked_keys =
    unpack(KEYS, places + 2)

local function doubt(actor)
  if #actor == 16 then redis.call('HSET', KEYS[1], actor, 'lost') end
end
if KEYS[1] == watermark or KEYS[1] == actors then
  local known = read('HGETALL', KEYS[1] == watermark and actors or watermark)
  for n = 1, #known, 2 do doubt(known[n]) end
  known = read('HGETALL', progress)
  for n = 2, #known, 2 do doubt(string.sub(known[n], 1, 16)) end
end

local function block(key)
  redis.call('HSET', blocked, key, ARGV[3])
  redis.pcall('SADD', incomplete, key)
end
if KEYS[1] == blocked then
  for _, key in ipairs(read('ZRANGE', blocked_keys, '0', '-1')) do block(key) end
  for _, at in ipairs(read('ZRANGE', parked_keys, '0', '-1')) do
    local size = tonumber(string.sub(at, 1, 8), 16)
    if size and size > 0 then block(string.sub(at, 9, 8 + size)) end
  end
  local cursor = '0'
  repeat
    local page = read('SSCAN', incomplete, cursor, 'COUNT', '1000')
    for _, key in ipairs(page[2] or {}) do redis.call('HSET', blocked, key, ARGV[3]) end
    cursor = page[1] or '0'
  until cursor == '0'
end
return {found, to}
