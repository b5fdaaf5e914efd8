import { setTimeout } from 'node:timers/promises'
import { ownCpuMicros } from '../own-cpu.ts'
import type { Scratch } from '../scratch.ts'
import { createAutocannonLoad } from './autocannon.ts'
import { createWrkLoad } from './wrk.ts'

/** A request that is sent again and again. */
export interface Target {
  url: string
  method?: string
  headers?: Record<string, string>
  body?: string
  /** Headers for so many requests, for those that must differ; made before the time begins. */
  headersOfEach?: (count: number) => Record<string, string>[]
  /** The process that answers, where its own processor time is to be measured. */
  pid?: number
}

/** More requests than any server here answers in that time. */
export const requestsIn = (seconds: number): number => Math.ceil(seconds * 20_000)

export interface LoadRequest extends Target {
  /** Kept alive; each sends its next request when it has the answer to the one before. */
  connections: number
  seconds: number
}

/** What a tool tells. */
export interface Sent {
  /** How many were answered. */
  requests: number
  perSecond: number
  p50Ms: number
  p99Ms: number
  /** Answers that are not 2xx, and requests without an answer. */
  bad: number
}

export type LoadFigures = Pick<Sent, 'perSecond' | 'p50Ms' | 'p99Ms'> & {
  /** Processor time that the process of the target has used by itself for each request, in microseconds. */
  cpuMicros?: number
}

/** Rejects when there were bad answers. */
export type Load = (request: LoadRequest) => Promise<LoadFigures>

/** With wrk where it is installed: it takes less of the machine. */
export const createLoad = (scratch: Scratch, wrk: string | undefined): Load => {
  const send = wrk === undefined ? createAutocannonLoad() : createWrkLoad(scratch, wrk)
  return async request => {
    for (let times = 1; ; times *= 5) {
      // The last load ended with requests under way, whose jobs still run.
      await setTimeout(PAUSE_MS * times)
      const used = watchCpu(request.pid)
      const { bad, requests, ...figures } = await send({ ...request, seconds: request.seconds * times })
      if (bad > 0) throw new Error(`${bad} bad answers from ${request.url}`)
      if (requests > 0) return { ...figures, ...used(requests) }
      // A short moment may be over before the first answer where others have the processors.
      if (times === MOST_TIMES) throw new Error(`no answers from ${request.url}`)
    }
  }
}

/** What the process uses from now on, for each of so many requests. */
const watchCpu = (pid: number | undefined) => {
  if (pid === undefined) return () => ({})
  const before = ownCpuMicros(pid)
  return (requests: number) => ({ cpuMicros: (ownCpuMicros(pid) - before) / requests })
}

const MOST_TIMES = 25

const PAUSE_MS = 250
