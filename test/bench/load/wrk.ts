import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { outputOf } from '../children.ts'
import type { Scratch } from '../scratch.ts'
import { type LoadFigures, type LoadRequest, requestsIn } from './load.ts'

const SCRIPT = join(import.meta.dirname, 'wrk.lua')

/** https://github.com/wg/wrk */
export const createWrkLoad =
  (scratch: Scratch, wrk: string) =>
  async ({
    url,
    method = 'GET',
    headers = {},
    body = '',
    connections,
    seconds,
    headersOfEach,
  }: LoadRequest): Promise<LoadFigures> => {
    const each = headersOfEach && saveHeaders(scratch, headersOfEach(requestsIn(seconds)))
    const output = await outputOf(
      scratch,
      wrk,
      [
        '--threads=1',
        `--connections=${connections}`,
        `--duration=${Math.ceil(seconds)}s`,
        `--script=${SCRIPT}`,
        ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
        url,
        '--',
        method,
        body,
        ...(each === undefined ? [] : [each]),
      ],
      child => {
        // It only takes whole seconds, but ends properly when it is interrupted.
        if (!Number.isInteger(seconds)) setTimeout(() => child.kill('SIGINT'), seconds * 1000)
      },
    )
    const line = output.split('\n').find(text => text.startsWith('{'))
    if (line === undefined) throw new Error(`wrk: ${output}`)
    const { requests, micros, p50Micros, p99Micros, bad } = JSON.parse(line) as Report
    return { perSecond: (requests / micros) * 1e6, p50Ms: p50Micros / 1000, p99Ms: p99Micros / 1000, bad }
  }

/** A line a request: names and values, with tabs between them. */
const saveHeaders = (scratch: Scratch, each: Record<string, string>[]): string => {
  const path = join(scratch.directory('headers'), 'lines')
  writeFileSync(path, each.map(headers => `${Object.entries(headers).flat().join('\t')}\n`).join(''))
  return path
}

/** What the script prints. */
interface Report {
  requests: number
  micros: number
  p50Micros: number
  p99Micros: number
  bad: number
}
