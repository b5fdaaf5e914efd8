-- wrk … -- <method> <body> [<file with a line of headers for each request>]

-- As wrk has it, but for the order of the headers, which wrk changes from run to run. A client sends them in one order,
-- and for a new one V8 may compile again what reads them.
function wrk.format(method, path, headers, body)
  headers, body = headers or wrk.headers, body or wrk.body
  headers["Host"] = headers["Host"] or wrk.headers["Host"]
  headers["Content-Length"] = body and #body
  local names, lines = {}, { string.format("%s %s HTTP/1.1", method or wrk.method, path or wrk.path) }
  for name in pairs(headers) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do lines[#lines + 1] = name .. ": " .. headers[name] end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

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
