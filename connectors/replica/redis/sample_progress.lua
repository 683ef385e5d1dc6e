-- KEYS: token, watermark, actors. ARGV: actors.

local known = {}
for i, actor in ipairs(ARGV) do
  known[i] = {redis.call('HGET', KEYS[2], actor) or '', redis.call('HGET', KEYS[3], actor) or ''}
end
return {redis.call('GET', KEYS[1]), redis.call('HLEN', KEYS[2]), redis.call('HLEN', KEYS[3]), known}
