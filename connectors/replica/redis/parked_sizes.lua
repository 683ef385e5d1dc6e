-- KEYS: parked. ARGV: ids. Their bodies' lengths; 0: gone.

local sizes = {}
for n, id in ipairs(ARGV) do sizes[n] = redis.call('HSTRLEN', KEYS[1], id) end
return sizes
