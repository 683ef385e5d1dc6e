-- KEYS: a key of no meaning. Of the commands in the scripts and beside them, answers those that the
-- user may not run; whatever else they say of the key is of no interest. The key is gone at the
-- end, or a second later when UNLINK is refused; a server that takes no writes never makes it.

local key, refused = KEYS[1], {}
for _, command in ipairs({
  {'MSET', key, ''}, {'SET', key, '', 'EX', '1'}, {'GET', key}, {'STRLEN', key}, {'EXISTS', key},
  {'TYPE', key}, {'HSET', key, 'f', ''}, {'HDEL', key, 'f'}, {'HGET', key, 'f'},
  {'HMGET', key, 'f'}, {'HSTRLEN', key, 'f'}, {'HGETALL', key}, {'HLEN', key},
  {'SADD', key, 'm'}, {'SREM', key, 'm'}, {'SCARD', key}, {'SSCAN', key, '0'},
  {'HSCAN', key, '0'}, {'SRANDMEMBER', key, '1'},
  {'ZADD', key, '0', 'm'}, {'ZREM', key, 'm'}, {'ZCARD', key}, {'ZRANGE', key, '0', '0'},
  {'ZRANGEBYLEX', key, '-', '+', 'LIMIT', '0', '1'}, {'RPUSH', key, 'v'}, {'LLEN', key},
  {'LRANGE', key, '0', '0'}, {'SCAN', '0', 'COUNT', '1'}, {'UNLINK', key}}) do
  local answer = redis.pcall(unpack(command))
  if type(answer) == 'table' and answer.err then
    local denied = string.find(answer.err, "can't run this command", 1, true) or
                   string.find(answer.err, 'NOPERM', 1, true)
    if denied then refused[#refused + 1] = command[1] end
  end
end
return refused
