-- KEYS: parked and an index. ARGV: where to begin, as ZRANGEBYLEX has it; 1: ids stand behind a
-- key. Drops members that are not parked; answers the last looked at.

local members = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[1], '+', 'LIMIT', '0', '8')
for _, member in ipairs(members) do
  local size = ARGV[2] == '1' and tonumber(string.sub(member, 1, 8), 16)
  local name = size and string.sub(member, 9 + size) or member
  if not redis.call('HGET', KEYS[1], name) then redis.call('ZREM', KEYS[2], member) end
end
return members[#members]
