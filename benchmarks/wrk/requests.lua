-- Requests that are never alike, and a line of JSON at the end.
-- Arguments after `--`: method, target, body (each may hold %d), spread (0: count up; N: at random from 1 to N), and a
-- header Authorization, where there is to be one.

threads = {}
local method, target, body, spread, count
local headers = { ["Content-Type"] = "application/json" }

function setup(thread)
  thread:set("first", #threads * 1000000)
  table.insert(threads, thread)
end

function init(args)
  method, target, body, spread, count = args[1], args[2], args[3], tonumber(args[4]), first
  wrk.headers["Authorization"] = args[5]
  math.randomseed(os.time() + first)
end

function request()
  count = count + 1
  local number = spread > 0 and math.random(spread) or count
  if body == "" then
    return wrk.format(method, target:format(number))
  end
  return wrk.format(method, target:format(number), headers, body:format(number))
end

function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "mean": %d, "max": %d, "refused": %d, "broken": %d}',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.mean, latency.max,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
