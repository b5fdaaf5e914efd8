import type { ChildProcess } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { outputOf } from '../children.ts'
import type { Scratch } from '../scratch.ts'
import { type LoadRequest, requestsIn, type Sent } from './load.ts'

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
  }: LoadRequest): Promise<Sent> => {
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
        if (!Number.isInteger(seconds)) setTimeout(interrupt, seconds * 1000, child)
      },
    )
    const line = output.split('\n').find(text => text.startsWith('{'))
    if (line === undefined) throw new Error(`wrk: ${output}`)
    const { requests, micros, p50Micros, p99Micros, bad } = JSON.parse(line) as Report
    return {
      requests,
      perSecond: (requests / micros) * 1e6,
      p50Ms: p50Micros / 1000,
      p99Ms: p99Micros / 1000,
      bad,
    }
  }

/** As soon as it catches the signal: one that has only just been started would be killed by it. */
const interrupt = (child: ChildProcess): void => {
  if (child.exitCode !== null || child.signalCode !== null) return
  if (catchesInterrupts(child.pid!)) child.kill('SIGINT')
  else setTimeout(interrupt, 10, child)
}

/** The caught signals are bits from 1 on, proc_pid_status(5). */
const catchesInterrupts = (pid: number): boolean => {
  try {
    const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? '0'
    return (BigInt(`0x${caught}`) & 2n) !== 0n
  } catch {
    return false // It has ended.
  }
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
