import { lookup } from 'node:dns/promises'
import { createLookUps } from '../base/look-ups.ts'
import { within } from '../base/within.ts'
import type { Helper } from './helper.ts'
import type { Processes } from './types.ts'

export interface HostLookUpsOptions {
  processes: Pick<Processes, 'startHelper' | 'leaveThreads'>
  /** The environment of the program that looks up; never changed. */
  env: Record<string, string>
  /** How long one who asks is kept waiting, in milliseconds. */
  longestMs: number
}

/**
 * Looks up the addresses of hosts as the system does: in all that nsswitch.conf(5) names. Nothing ends a call of
 * getaddrinfo(3), and one that hangs would hold a thread of libuv's pool, and the end of the agent. So getent(1) makes
 * it, for each name under a shell of its own, and both are killed when the time is up.
 */
export const createHostLookUps = ({ processes, env, longestMs }: HostLookUpsOptions) => {
  const { startHelper } = processes
  /** From before they are started. */
  const asked = new Set<Promise<unknown>>()
  const helpers = new Set<Helper>()
  let isClosed = false

  /** Undefined where there is no getent. */
  const ask = async (host: string, start: NonNullable<typeof startHelper>): Promise<string[] | undefined> => {
    const args = ['-c', ASK, 'newdt-auto-look-up', host]
    const helper = await start({ file: 'sh', args, env, isWanted: () => !isClosed })
    helpers.add(helper)
    void helper.exited.then(() => helpers.delete(helper))
    const timer = setTimeout(helper.kill, longestMs)
    if (isClosed) helper.kill()
    const answer = await answerOf(helper.output)
    clearTimeout(timer)
    if (!answer || answer.status > SIGNALED) {
      helper.kill()
      throw noAnswer()
    }
    helper.finish()
    if (answer.status === NOT_INSTALLED) return undefined
    const { status, addresses } = answer
    if (status !== 0 || addresses.length === 0) throw withCode('ENOTFOUND', 'the host is not found')
    return addresses
  }

  // Where there is no getent (macOS) the agent calls it after all, on no more threads than it can spare.
  const inThisProcess = createLookUps(
    async (host: string) => (await lookup(host, { all: true })).map(({ address }) => address),
    { mostAtOnce: 2, longestMs, noAnswer },
  )
  const lookUp = async (host: string): Promise<string[]> => {
    if (!startHelper) return inThisProcess.find(host)
    const answer = ask(host, startHelper)
    const forget = () => void asked.delete(answer)
    asked.add(answer)
    answer.then(forget, forget)
    const addresses = await answer
    if (isClosed) throw noAnswer()
    return addresses ?? inThisProcess.find(host)
  }
  const { find } = createLookUps(lookUp, { mostAtOnce: MOST_AT_ONCE, longestMs, noAnswer })

  return {
    /** Its addresses in the system's order, at least one. Rejects with an Error that has a `code`. */
    find: (host: string): Promise<string[]> => find(host),

    /** Kills what is under way, also what is only being started: who waits for it is refused. */
    async close(): Promise<void> {
      isClosed = true
      for (const helper of helpers) helper.kill()
      if (inThisProcess.isAsking()) processes.leaveThreads()
      await Promise.allSettled(asked)
      await within(Promise.all([...helpers].map(({ exited }) => exited)), LAST_MS)
    },
  }
}

/**
 * getent, and then its exit status on a line of its own: with 0 all before it is whole. A line on the input says that this
 * was read; its end says that getent is to be killed, because the agent is gone.
 */
const ASK = `
exec 3<&0 < /dev/null
{ getent ahosts -- "$1"; printf '\\n= %s\\n' "$?"; } 3<&- &
read -r _ <&3 && wait && exit
kill -KILL 0`

/** Undefined when it ended before it had an answer. */
const answerOf = (output: Helper['output']): Promise<{ status: number; addresses: string[] } | undefined> =>
  new Promise(resolve => {
    const addresses = new Set<string>()
    let rest = ''
    output.setEncoding('latin1')
    output.on('data', (part: string) => {
      const lines = (rest + part).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        // Each line begins with an address; the same ones are there again for each kind of socket.
        const [first = '', second] = line.split(' ')
        if (first === '=') resolve({ status: Number(second), addresses: [...addresses] })
        else if (first !== '' && addresses.size < MOST_ADDRESSES) addresses.add(first)
      }
    })
    output.on('close', () => resolve(undefined))
  })

const withCode = (code: string, message: string): Error => Object.assign(new Error(message), { code })
const noAnswer = (): Error => withCode('ETIMEDOUT', 'the look-up of a host does not end')

/** What a shell has for a program that it does not find, and for one that was killed. */
const NOT_INSTALLED = 127
const SIGNALED = 128
const MOST_AT_ONCE = 64
const MOST_ADDRESSES = 256
const LAST_MS = 1000
