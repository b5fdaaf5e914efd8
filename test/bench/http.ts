import { Agent, type RequestOptions, request } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import type { Target } from './load/load.ts'

/** Sends a request, lets the answer pass; how many bytes its body had. Rejects for what is not 2xx. */
export const drain = (
  { url, method = 'GET', headers = {}, body }: Target,
  options: RequestOptions = {},
): Promise<number> =>
  new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, ...options }, response => {
      let bytes = 0
      const status = response.statusCode ?? 0
      if (status < 200 || status > 299) reject(new Error(`${url} was answered with ${status}`))
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      response.once('end', () => resolve(bytes)).once('error', reject)
    })
    sent.once('error', reject).end(body)
  })

/** Sends a request a number of times, over so many connections. */
export const repeat = async (target: Target, times: number, connections: number): Promise<void> => {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  let left = times
  const client = async (): Promise<void> => {
    while (left-- > 0) await drain(target, { agent })
  }
  try {
    await Promise.all(Array.from({ length: connections }, client))
  } finally {
    agent.destroy()
  }
}

/** Asks again and again until there is an answer. */
export const untilAnswered = async (url: string): Promise<void> => {
  const deadline = performance.now() + START_DEADLINE_MS
  for (;;) {
    try {
      await drain({ url }, { agent: false })
      return
    } catch (error) {
      if (performance.now() > deadline) throw error
      await setTimeout(GAP_MS)
    }
  }
}

const START_DEADLINE_MS = 30_000
const GAP_MS = 2
