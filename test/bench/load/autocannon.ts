import autocannon from 'autocannon'
import { correctOmission, percentile } from '../statistics.ts'
import { type LoadRequest, requestsIn, type Sent } from './load.ts'

/** https://github.com/mcollina/autocannon, in this process; its own histogram knows whole milliseconds only. */
export const createAutocannonLoad =
  () =>
  async ({
    url,
    method = 'GET',
    headers = {},
    body,
    connections,
    seconds,
    headersOfEach,
  }: LoadRequest): Promise<Sent> => {
    const each = headersOfEach?.(requestsIn(seconds))
    let sent = 0
    const times: number[] = []
    const begin = performance.now()
    let end = begin
    const run = autocannon({
      ...{ url, method, headers, connections },
      ...(body !== undefined && { body }),
      ...(each && {
        requests: [{ setupRequest: request => ({ ...request, headers: { ...headers, ...each[sent++] } }) }],
      }),
      duration: seconds,
      sampleInt: SAMPLE_MS,
    })
    run.on('response', (_client, _status, _bytes, ms) => {
      times.push(ms)
      end = performance.now()
    })
    const { errors, timeouts, non2xx } = await run
    const totalMs = end - begin
    const corrected = correctOmission(times, totalMs, connections)
    return {
      requests: times.length,
      perSecond: (times.length / totalMs) * 1000,
      p50Ms: percentile(corrected, 50),
      p99Ms: percentile(corrected, 99),
      bad: errors + timeouts + non2xx,
    }
  }

/** It ends with the first sample after its time. */
const SAMPLE_MS = 50
