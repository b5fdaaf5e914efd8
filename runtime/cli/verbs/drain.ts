import { askAgent, unwrap } from '../ask.ts'
import { tell } from '../cli.ts'
import { onInterrupt } from '../interrupt.ts'
import { untilGone } from '../until-gone.ts'
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
    const drained = unwrap(await client.drain())
    const { running } = drained
    const end =
      running === 0 ? 'ends now' : `ends with the last of ${running === 1 ? 'one job' : `${running} jobs`}`
    await cli.out.write(`${asked.name}: takes no new jobs, ${end}\n`)
    if (!wait) return
    using interrupt = onInterrupt()
    await untilGone(client, {
      drained,
      onLost: line => tell(cli, `${asked.name}: ${line}; it may still run, looking on`),
      signal: interrupt.signal,
    })
    await cli.out.write(`${asked.name}: has ended\n`)
  })
}
