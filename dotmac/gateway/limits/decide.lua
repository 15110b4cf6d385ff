-- May this request be served, by every one of its rules? All or nothing.
--
-- KEYS[i]  what rule i counts in
-- ARGV[1]  a text that no other request has
-- ARGV[3i-1], ARGV[3i], ARGV[3i+1]  strategy, limit, window in microseconds
--
-- Answer: now in microseconds, how many rules refuse, then for each rule: refuses
-- (0 or 1), what remains, microseconds until more is free.
-- Numbers are written out by %.0f: Lua's own tostring keeps 14 digits of 16.

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local nonce = ARGV[1]

local function whole(number)
  return string.format('%.0f', number)
end

local function milliseconds(microseconds)
  return whole(math.max(1, math.ceil(microseconds / 1000)))
end

-- Each strategy answers: used so far, microseconds until more is free, and a
-- function that takes one more.
local strategies = {}

-- Windows begin at multiples of their length.
function strategies.fixed(key, limit, window)
  local slot = math.floor(now / window)
  local held = redis.call('HMGET', key, 'slot', 'used')
  local used = 0
  if held[1] == whole(slot) then used = tonumber(held[2]) end
  local rest = (slot + 1) * window - now
  return limit - used, rest, function()
    redis.call('HSET', key, 'slot', whole(slot), 'used', used + 1)
    redis.call('PEXPIRE', key, milliseconds(rest))
    return limit - used - 1, rest
  end
end

-- The times of what was granted within the window that ends now.
function strategies.sliding(key, limit, window)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', whole(now - window))
  local used = redis.call('ZCARD', key)
  local rest = window
  if used > 0 then
    rest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] + window - now
  end
  return limit - used, rest, function()
    redis.call('ZADD', key, whole(now), nonce)
    redis.call('PEXPIRE', key, milliseconds(window))
    return limit - used - 1, rest
  end
end

-- A bucket of `limit` tokens that fills within the window, kept as the time at which
-- it is full again (generic cell rate algorithm, ITU-T I.371).
function strategies.bucket(key, limit, window)
  local step = window / limit
  local full_at = tonumber(redis.call('GET', key)) or now
  local missing = math.max(0, full_at - now)
  local function standing(gone)
    local tokens = math.floor((window - gone) / step + 1e-6)
    return tokens, gone - (limit - tokens - 1) * step
  end
  local tokens, rest = standing(missing)
  return tokens, rest, function()
    local gone = missing + step
    redis.call('SET', key, string.format('%.3f', now + gone), 'PX', milliseconds(gone))
    return standing(gone)
  end
end

-- Leases of requests at work; the window is how long one holds when nobody ends it.
function strategies.busy(key, limit, window)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', whole(now))
  local used = redis.call('ZCARD', key)
  return limit - used, 1000000, function()
    redis.call('ZADD', key, whole(now + window), nonce)
    redis.call('PEXPIRE', key, milliseconds(window))
    return limit - used - 1, 1000000
  end
end

local refusing, takes, answer = 0, {}, {}
for i, key in ipairs(KEYS) do
  local limit, window = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local left, rest, take = strategies[ARGV[3 * i - 1]](key, limit, window)
  takes[i] = take
  local refuses = left < 1 and 1 or 0
  refusing = refusing + refuses
  answer[3 * i] = refuses
  answer[3 * i + 1] = math.max(0, left)
  answer[3 * i + 2] = math.ceil(rest)
end
answer[1], answer[2] = now, refusing
if refusing == 0 then
  for i, take in ipairs(takes) do
    local left, rest = take()
    answer[3 * i + 1], answer[3 * i + 2] = left, math.ceil(rest)
  end
end
return answer
