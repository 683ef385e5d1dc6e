#include <tributary/connectors/redis/commit_script.h>

namespace tributary::redis {

// Ids, seqs and timestamps stay strings, for Lua's numbers are doubles; only counts become numbers.
// What is shared by all keys is checked first, so that not even another program's key of a wrong
// type stops the script half-way. The first write, if there is any memory-consuming one, consumes
// memory: out of memory, on a read-only replica or without disk Redis refuses it, and all after it.
const std::string_view kCommitScript = R"lua(
local call, try, unpack, tonumber = redis.call, redis.pcall, unpack, tonumber
local A, K = ARGV, KEYS
local shared = #K - 5
local watermark, progress, hlc, parked, deferring = unpack(K, shared + 1)
local p = 1                       -- the next argument

local function count()
  p = p + 1
  return tonumber(A[p - 1])
end

-- Calls `command key` with the next n arguments; in parts, for unpack() is limited.
local function run(command, key, n)
  local last = p + n - 1
  while p <= last do
    local to = p + 3999           -- an even number, so that pairs stay together
    if to > last then to = last end
    call(command, key, unpack(A, p, to))
    p = to + 1
  end
end

call('HLEN', watermark) call('HLEN', progress) call('STRLEN', hlc)
call('HLEN', parked) call('SCARD', deferring)
for _ = 1, count() do
  if (call('HGET', watermark, A[p]) or '0') ~= A[p + 1] then return 'watermark ' .. A[p] end
  p = p + 2
end
for k = 1, shared, 2 do
  if (call('HGET', K[k], 'version') or '') ~= A[p] then return 'version ' .. K[k + 1] end
  local length = A[p + 1]         -- a command that fails on a view of another type
  if length ~= '' then
    local found = try(length, K[k + 1])
    if type(found) == 'table' then
      if string.sub(found.err, 1, 9) ~= 'WRONGTYPE' then return found end
      return 'view ' .. K[k + 1]
    end
  end
  p = p + 2
end

local strings, s = {}, 0          -- string views, to be set together
local function set(view, value)
  strings[s + 1], strings[s + 2] = view, value
  s = s + 2
  if s == 4000 then
    call('MSET', unpack(strings))
    strings, s = {}, 0
  end
end

for k = 1, shared, 2 do
  local state, view, form = K[k], K[k + 1], A[p]
  p = p + 1
  if form == 'one' then           -- a counter or a register: worth a quarter of the time
    call('HSET', state, 'version', A[p], A[p + 1], A[p + 2])
    set(view, A[p + 3])
    p = p + 4
  else
    run('HSET', state, count())
    run('HDEL', state, count())
    for _ = 1, count() do
      local command = A[p]
      p = p + 1
      if command == 'SET' then
        set(view, A[p])
        p = p + 1
      elseif command == 'UNLINK' then
        call(command, view)
      else
        run(command, view, count())
      end
    end
  end
end
if s > 0 then call('MSET', unpack(strings)) end
run('HSET', watermark, count())
run('HSET', progress, count())
run('HSET', parked, count())
run('SADD', deferring, count())
if A[p] > (call('GET', hlc) or '') then call('SET', hlc, A[p]) end
p = p + 1
run('SREM', deferring, count())
run('HDEL', parked, count())
return 'OK'
)lua";

}  // namespace tributary::redis
