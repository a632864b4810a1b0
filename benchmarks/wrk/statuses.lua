-- requests.lua, and a count of every status; a 503 without Retry-After counts as 599.

dofile("requests.lua")

seen = {}

function response(status, headers, body)
  if status == 503 and not (headers["retry-after"] or headers["Retry-After"]) then
    status = 599
  end
  seen[status] = (seen[status] or 0) + 1
end

local totals = done
function done(summary, latency, requests)
  totals(summary, latency, requests)
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("seen")) do
      print(string.format('{"status": %d, "count": %d}', status, count))
    end
  end
end
