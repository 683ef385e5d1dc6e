-- KEYS: blocked, its index, incomplete, lowest. ARGV: where to begin in the index, as ZRANGEBYLEX
-- has it; the block of a key whose own was dropped. Answers the last key looked at.

local keys = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], '+', 'LIMIT', '0', '100')
for _, key in ipairs(keys) do
  if not redis.call('HGET', KEYS[1], key) then
    redis.call('HSET', KEYS[1], key, ARGV[2])
    redis.call('SADD', KEYS[3], key)
    redis.call('HSET', KEYS[4], 'made', '1')
  end
end
return keys[#keys]
