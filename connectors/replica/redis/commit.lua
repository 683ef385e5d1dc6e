-- Ids, seqs and timestamps stay strings, for Lua's numbers are doubles; only counts become numbers.
-- What is shared by all keys is checked first, so that not even another program's key of a wrong
-- type stops the script half-way. The first write consumes memory: out of memory, on a read-only
-- replica or without disk Redis refuses it, and all after it. What it refuses later all the same
-- (a command that the user may not run any more) leaves a token that nobody expects and the names
-- of the keys. The order of the writes is such that a commit that stopped can be made once more.

local call, try, unpack, tonumber, sub = redis.call, redis.pcall, unpack, tonumber, string.sub
local A, K = ARGV, KEYS
local shared = #K - 15
local token, watermark, actors, progress, hlc, deferring, parked, parked_ids, parked_keys,
      blocked, blocked_keys, incomplete, lowest, unfinished, discarded = unpack(K, shared + 1)
local guarded, expected, nonce = A[1] == '1', A[2], A[3]
local p = 4                       -- the next argument

local function count()
  p = p + 1
  return tonumber(A[p - 1])
end

-- Calls `command key` with the next n arguments; in parts, for unpack() is limited. Answers the sum
-- of the answers, and the last.
local function run(command, key, n)
  local last, sum, answer = p + n - 1, 0, 0
  while p <= last do
    local to = p + 3999           -- an even number, so that pairs stay together
    if to > last then to = last end
    answer = call(command, key, unpack(A, p, to))
    sum = sum + answer
    p = to + 1
  end
  return sum, answer
end

-- Of decimal numbers.
local function less(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end

-- What to answer when a view's length cannot be told.
local function wrong_view(found, view)
  return sub(found.err, 1, 9) == 'WRONGTYPE' and 'view ' .. view or found
end

-- Where a parked change stands in the index by key.
local function indexed(id, body)
  local size = tonumber(sub(body, 1, 8), 16)
  return size and sub(body, 1, 8 + size) .. id
end

local now = call('GET', token) or ''
call('HLEN', watermark) call('HLEN', actors) call('HLEN', progress) call('STRLEN', hlc)
call('SCARD', deferring) call('HLEN', parked) call('ZCARD', parked_ids) call('ZCARD', parked_keys)
call('ZCARD', blocked_keys) call('SCARD', incomplete) call('HLEN', lowest)
call('HLEN', discarded)
local left = call('STRLEN', unfinished)
if guarded and now ~= expected then return 'token' end
for _ = 1, count() do
  if (call('HGET', watermark, A[p]) or '0') ~= A[p + 1] then return 'watermark ' .. A[p] end
  p = p + 2
end
if count() == 1 then              -- the watermark is bounded
  local most = {}
  for _ = 1, count() do
    most[A[p]] = A[p + 1]
    p = p + 2
  end
  local found = call('HGETALL', watermark)
  for i = 1, #found, 2 do
    local actor = #found[i] == 16 and string.find(found[i], '^%x+$')
    if actor and less(most[found[i]] or '0', found[i + 1]) then return 'watermark ' .. found[i] end
  end
end
local named = {}
for _ = 1, count() do
  if sub(call('HGET', blocked, A[p]) or '', 1, 16) ~= A[p + 1] then return 'blocked ' .. A[p] end
  named[A[p]] = true
  p = p + 2
end
if call('HLEN', blocked) > 0 then
  for k = 2, shared, 2 do
    if not named[K[k]] and (call('HGET', blocked, K[k]) or '') ~= '' then
      return 'blocked ' .. K[k]
    end
  end
end

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

local function park()
  for _ = 1, count() do
    local id, body = A[p], A[p + 1]
    call('ZADD', parked_ids, 0, id)
    call('ZADD', parked_keys, 0, indexed(id, body))
    call('HSET', parked, id, body)
    p = p + 2
  end
end

local unblocked = {}              -- keys that are not blocked any more, once they are written

local function block()
  for _ = 1, count() do
    local key, value = A[p], A[p + 1]
    if value == '' then
      unblocked[#unblocked + 1] = key
    else
      call('HSET', blocked, key, value)
      call('ZADD', blocked_keys, 0, key)
      call(A[p + 2] == '1' and 'SADD' or 'SREM', incomplete, key)
    end
    p = p + 3
  end
  if next(named) and call('HLEN', blocked) > 0 then call('HSET', lowest, 'made', '1') end
  for _ = 1, count() do
    local found = call('HGET', lowest, A[p])
    if not found or less(A[p + 1], found) then call('HSET', lowest, A[p], A[p + 1]) end
    p = p + 2
  end
end

local function unblock()
  for _, key in ipairs(unblocked) do
    call('SREM', incomplete, key)
    call('ZREM', blocked_keys, key)
    call('HDEL', blocked, key)
  end
  if next(named) and call('HLEN', blocked) == 0 then call('UNLINK', lowest) end
end

local function unpark()
  for _ = 1, count() do
    local body = call('HGET', parked, A[p])
    if body then
      local at = indexed(A[p], body)
      if at then call('ZREM', parked_keys, at) end
      call('HDEL', parked, A[p])
    end
    call('ZREM', parked_ids, A[p])
    p = p + 1
  end
  run('HSET', discarded, count())
  run('HDEL', discarded, count())
end

-- Forgets names in tributary:unfinished, and what is no name.
local function finish(n)
  if left == 0 then
    p = p + n
    return
  end
  local done, kept, all, at = {}, {}, call('GET', unfinished) or '', 1
  for i = p, p + n - 1 do done[A[i]] = true end
  p = p + n
  while at <= #all do
    local to = at + 8 + (tonumber(sub(all, at, at + 7), 16) or #all)
    if to > #all + 1 then break end
    if not done[sub(all, at + 8, to - 1)] then kept[#kept + 1] = sub(all, at, to - 1) end
    at = to
  end
  if #kept == 0 then call('UNLINK', unfinished)
  else call('SET', unfinished, table.concat(kept)) end
end

local begun = false
local function write()
  call('SET', token, 'unfinished ' .. nonce)
  begun = true
  run('SADD', deferring, count())
  park()
  block()
  write_keys()
  run('HSET', watermark, count())
  run('HSET', actors, count())
  run('HSET', progress, count())
  local held = call('GET', hlc) or ''
  if #held ~= 20 or string.find(held, '%D') or held > '18446744073709551615' then held = '' end
  if A[p] > held then call('SET', hlc, A[p]) end
  p = p + 1
  run('SREM', deferring, count())
  unpark()
  unblock()
  finish(count())
  if guarded then call('SET', token, nonce)
  elseif now == '' then call('UNLINK', token)
  else call('SET', token, now) end
end

local done, problem = pcall(write)
if done then return 'OK' end
if begun then
  local names = {call('GET', unfinished) or ''}
  for k = 2, shared, 2 do named[K[k]] = true end
  for key in pairs(named) do names[#names + 1] = string.format('%08x', #key) .. key end
  call('SET', unfinished, table.concat(names))
end
problem = type(problem) == 'table' and problem.err or tostring(problem)
if not string.find(problem, '^%u+ ') then problem = 'ERR ' .. problem end
return {err = problem}
