-- KEYS: blocked, its index, incomplete, lowest. ARGV: how many blocks, then (key, block as it was
-- read, 1: it is incomplete) of each; then (actor, seq), the least of these blocks. A block that
-- was committed since has what stands beside it from that.

local call, p = redis.call, 2
for _ = 1, tonumber(ARGV[1]) do
  local key = ARGV[p]
  if call('HGET', KEYS[1], key) == ARGV[p + 1] then
    call('ZADD', KEYS[2], 0, key)
    call(ARGV[p + 2] == '1' and 'SADD' or 'SREM', KEYS[3], key)
  end
  p = p + 3
end
while p < #ARGV do
  local found = call('HGET', KEYS[4], ARGV[p])
  local least = ARGV[p + 1]
  local more = found and (#found > #least or (#found == #least and found > least))
  if not found or more then call('HSET', KEYS[4], ARGV[p], least) end
  p = p + 2
end
if call('HLEN', KEYS[1]) > 0 then call('HSET', KEYS[4], 'made', '1') end
