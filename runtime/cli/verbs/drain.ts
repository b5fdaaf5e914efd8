import { askAgent, unwrap } from '../ask.ts'
import { addHostOption, chosenHost, type Verb, verb } from '../verb.ts'

/** An agent takes no new jobs, and ends with the last that runs. */
export const drain: Verb = cli => {
  const command = verb('drain', 'let an agent take no new jobs, and end with the last that runs', [
    'newdt drain db1',
  ])
  addHostOption(command).argument('[host]', 'name or URL of the agent')
  return command.action(async (named: string | undefined, { host }: { host?: string }) => {
    const { client, host: asked } = await askAgent(cli, chosenHost(named, host))
    const { running } = unwrap(await client.drain())
    const end =
      running === 0 ? 'ends now' : `ends with the last of ${running === 1 ? 'one job' : `${running} jobs`}`
    await cli.out.write(`${asked.name}: takes no new jobs, ${end}\n`)
  })
}
