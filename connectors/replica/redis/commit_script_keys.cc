#include "connectors/replica/redis/commit_script_keys.h"

namespace tributary::redis {

const std::string_view kCheckKeys = R"lua(
local k = 1                       -- the next key
for _ = 1, count() do             -- strings that are there
  if try('HGET', K[k], 'version') ~= A[p] then return 'version ' .. K[k + 1] end
  local found = try('STRLEN', K[k + 1])
  if type(found) == 'table' then return wrong_view(found, K[k + 1]) end
  k, p = k + 2, p + 1
end
local fresh = 2 * count()
for from = k, k + fresh - 1, 4000 do
  local to = math.min(from + 3999, k + fresh - 1)
  if call('EXISTS', unpack(K, from, to)) ~= 0 then
    for i = from, to do
      if call('EXISTS', K[i]) ~= 0 then
        return i % 2 == 1 and 'state ' .. K[i + 1] or 'view ' .. K[i]
      end
    end
  end
end
for k = k + fresh, shared, 2 do
  local version, length = A[p], A[p + 1]
  p = p + 2
  if version == '' then
    if call('EXISTS', K[k]) ~= 0 then return 'state ' .. K[k + 1] end
  else
    local found = try('HGET', K[k], 'version') or ''
    if found ~= version then      -- unless it is damaged, and to be dropped: '!' and what it says
      if type(found) == 'table' then found = '' end
      if '!' .. found ~= version then return 'version ' .. K[k + 1] end
    end
  end
  if length ~= '' then            -- a command that fails on a view of another type
    local found = try(length, K[k + 1])
    if type(found) == 'table' then return wrong_view(found, K[k + 1]) end
    if length ~= 'STRLEN' then
      if A[p] ~= '' and found ~= tonumber(A[p]) then return 'view ' .. K[k + 1] end
      p = p + 1
    end
  end
end
)lua";

const std::string_view kWriteKeys = R"lua(
local strings, s = {}, 0          -- string views, to be set together
local function set(view, value)
  strings[s + 1], strings[s + 2] = view, value
  s = s + 2
  if s == 4000 then
    call('MSET', unpack(strings))
    strings, s = {}, 0
  end
end

-- Carries out the edits that come next; answers how many members there are then.
local function edit(view, members)
  for _ = 1, count() do
    local command = A[p]
    p = p + 1
    if command == 'SET' then
      set(view, A[p])
      p = p + 1
    elseif command == 'UNLINK' then
      call(command, view)
      members = 0
    else
      local sum, last = run(command, view, count())
      if command == 'RPUSH' then members = last
      elseif command == 'SREM' or command == 'HDEL' or command == 'ZREM' then
        members = members - sum
      else
        members = members + sum
      end
    end
  end
  return members
end

-- One field and a string view: a counter or a register, worth a quarter of the time.
local function write_singles(k)
  for _ = 1, count() do
    local n, version, field = count(), A[p], A[p + 1]
    p = p + 2
    for _ = 1, n do
      call('HSET', K[k], 'version', version, field, A[p])
      set(K[k + 1], A[p + 1])
      k, p = k + 2, p + 2
    end
  end
  return k
end

local function write_keys()
  for k = write_singles(1), shared, 2 do
    local state, view, form, members = K[k], K[k + 1], A[p], A[p + 1]
    p = p + 2
    if form == 'anew' then call('UNLINK', state) end
    local after = edit(view, tonumber(members) or 0)
    -- What is dropped goes first: the version, and the clock beside it, say that all is done.
    run('HDEL', state, count())
    if members ~= '' then A[p + 2] = A[p + 2] .. ' ' .. string.format('%d', after) end
    run('HSET', state, count())
  end
  if s > 0 then call('MSET', unpack(strings)) end
end
)lua";

}  // namespace tributary::redis
