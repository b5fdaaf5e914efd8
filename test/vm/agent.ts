import type { JobJson } from '../../handlers/jobs/job-json.ts'
import { type Envelope, sign } from '../support/agent.ts'
import { SECRET } from './image.ts'

export type MachineAgent = ReturnType<typeof createAgent>

/** An answer in an emulated machine takes its time. */
const REQUEST_DEADLINE_MS = 120_000

/** The agent inside of a machine, asked from outside. */
export const createAgent = (url: string) => {
  const ask = (path: string, init: RequestInit = {}, deadlineMs = REQUEST_DEADLINE_MS): Promise<Response> =>
    fetch(url + path, {
      ...init,
      // A connection that is kept may be closed just when it is used again, or have died with the machine.
      headers: { ...sign(SECRET), 'Content-Type': 'application/json', Connection: 'close' },
      signal: AbortSignal.timeout(deadlineMs),
    })

  const call = async (path: string, init?: RequestInit): Promise<Envelope> =>
    (await (await ask(path, init)).json()) as Envelope

  const post = (path: string, body: object): Promise<Envelope> =>
    call(path, { method: 'POST', body: JSON.stringify(body) })

  return {
    call,

    isReady: async (): Promise<boolean> => {
      try {
        return (await ask('/readyz', {}, 10_000)).ok
      } catch {
        return false // Nobody listens yet.
      }
    },

    /** Submits a command or a script; the whole envelope. */
    submit: (body: Record<string, unknown>): Promise<Envelope> =>
      post(`/api/jobs/execute/${'cmd' in body ? 'cmd' : 'script'}`, body),

    /** Runs a command, and resolves with the ended job. */
    async run(cmd: string, options: Record<string, unknown> = {}): Promise<JobJson> {
      return dataOf(await this.submit({ cmd, ...options }))
    },

    /** Starts a command, and resolves with the running job. */
    async start(cmd: string, options: Record<string, unknown> = {}): Promise<JobJson> {
      return dataOf(await this.submit({ cmd, async: true, ...options }))
    },

    job: async (id: string): Promise<JobJson> => dataOf(await call(`/api/jobs/${id}`)),
    end: async (id: string): Promise<JobJson> => dataOf(await call(`/api/jobs/${id}?wait=100s`)),
    cancel: async (id: string): Promise<JobJson> => dataOf(await post(`/api/jobs/${id}/cancel`, {})),

    /** How long `/healthz` takes, in milliseconds. */
    async health(): Promise<number> {
      const begin = performance.now()
      const answer = await ask('/healthz')
      if (!answer.ok) throw new Error(`/healthz: ${answer.status}`)
      await answer.arrayBuffer()
      return performance.now() - begin
    },
  }
}

const dataOf = ({ success, msg, data }: Envelope): JobJson => {
  if (!success || data === null) throw new Error(msg)
  return data as JobJson
}
