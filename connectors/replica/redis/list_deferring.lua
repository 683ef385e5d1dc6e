-- KEYS: deferring, then states. ARGV: the states' keys. Commits keep version and list together.

for i, key in ipairs(ARGV) do
  local version = redis.pcall('HGET', KEYS[i + 1], 'version')
  local listed = type(version) == 'string' and string.find(version .. ' ', ' deferring ', 1, true)
  redis.call(listed and 'SADD' or 'SREM', KEYS[1], key)
end
