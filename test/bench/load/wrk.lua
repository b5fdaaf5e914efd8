-- wrk … -- <method> <body> [<file with a line of headers for each request>]
function init(args)
  wrk.method = args[1]
  if args[2] ~= "" then wrk.body = args[2] end
  if args[3] then
    local requests, sent = {}, 0
    for line in io.lines(args[3]) do
      local headers, name = {}, nil
      for name_or_value in line:gmatch("[^\t]+") do
        if name then headers[name], name = name_or_value, nil else name = name_or_value end
      end
      for known, value in pairs(wrk.headers) do headers[known] = value end
      requests[#requests + 1] = wrk.format(nil, nil, headers)
    end
    request = function()
      sent = sent + 1
      return requests[sent]
    end
  end
end

function done(summary, latency)
  local errors = summary.errors
  local bad = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format(
    '\n{"requests":%d,"micros":%d,"p50Micros":%d,"p99Micros":%d,"bad":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), bad))
end
