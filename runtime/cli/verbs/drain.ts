import { setTimeout } from 'node:timers/promises'
import type { AgentClient, ClientError } from '../../../lib/client/client.ts'
import { askAgent, unwrap } from '../ask.ts'
import { onInterrupt } from '../interrupt.ts'
import { addHostOption, chosenHost, type Verb, verb } from '../verb.ts'

interface Options {
  wait?: boolean
  host?: string
}

/** An agent takes no new jobs, and ends with the last that runs. */
export const drain: Verb = cli => {
  const command = verb('drain', 'let an agent take no new jobs, and end with the last that runs', [
    'newdt drain db1',
    'newdt drain --wait db1',
  ])
  addHostOption(command).argument('[host]', 'name or URL of the agent').option('--wait', 'until it has ended')
  return command.action(async (named: string | undefined, { host, wait }: Options) => {
    const { client, host: asked } = await askAgent(cli, chosenHost(named, host))
    const { running } = unwrap(await client.drain())
    const end =
      running === 0 ? 'ends now' : `ends with the last of ${running === 1 ? 'one job' : `${running} jobs`}`
    await cli.out.write(`${asked.name}: takes no new jobs, ${end}\n`)
    if (!wait) return
    using interrupt = onInterrupt()
    await untilGone(client, interrupt.signal)
    await cli.out.write(`${asked.name}: has ended\n`)
  })
}

/** Nobody takes connections any more, or another agent does by now. Throws ClientError. */
const untilGone = async (client: Pick<AgentClient, 'status'>, signal: AbortSignal): Promise<void> => {
  while (true) {
    const status = await client.status({ signal })
    if (status.ok ? !status.value.draining : isGone(status.error)) return
    if (!status.ok && status.error.word !== 'unreachable') throw status.error
    await setTimeout(LOOK_MS, undefined, { signal }).catch(() => {}) // Then the next look is stopped.
  }
}

/** A request that was sent, and not answered, says nothing: the agent may be about to end, or be slow. */
const isGone = ({ word, status = 0, mayBeDone }: ClientError): boolean =>
  (word === 'unreachable' && !mayBeDone) || (word === 'not-an-agent' && status >= 502 && status <= 504)

const LOOK_MS = 1000
