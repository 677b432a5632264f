/**
 * Adds a batch once. KEYS: sequences, months, then a hash for each month. ARGV: writer, sequence, number of months, the months, then for each
 * delta the number of its month (from 0), field, amount. Sums are made of decimal text, seven digits at a time: the numbers of Lua are
 * doubles in Redis and 32-bit integers in ioredis-mock. Returns 1, or 0 where the batch was added before.
 */
export const ADD_BATCH = `
local function sum(a, b)
  local out, carry = '', 0
  while #a > 0 or #b > 0 or carry > 0 do
    local part = (tonumber(string.sub(a, -7)) or 0) + (tonumber(string.sub(b, -7)) or 0) + carry
    a, b = string.sub(a, 1, -8), string.sub(b, 1, -8)
    carry = 0
    if part >= 10000000 then
      part, carry = part - 10000000, 1
    end
    out = string.format('%07d', part) .. out
  end
  out = string.gsub(out, '^0+', '')
  if out == '' then
    return '0'
  end
  return out
end

local before = redis.call('HGET', KEYS[1], ARGV[1])
if before and tonumber(before) >= tonumber(ARGV[2]) then
  return 0
end
local months = tonumber(ARGV[3])
for i = 1, months do
  redis.call('HSET', KEYS[2], ARGV[3 + i], '1')
end
for i = 4 + months, #ARGV, 3 do
  local key, field = KEYS[3 + tonumber(ARGV[i])], ARGV[i + 1]
  redis.call('HSET', key, field, sum(redis.call('HGET', key, field) or '0', ARGV[i + 2]))
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
`;
