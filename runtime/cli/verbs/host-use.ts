import { tell } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { readHosts, useHost } from '../hosts-file.ts'
import { type Verb, verb } from '../verb.ts'

/** Which host is meant when none is named. */
export const hostUse: Verb = cli =>
  verb('use', 'choose the host that is meant when none is named', ['newdt host use db1'])
    .argument('<name>', 'of the host')
    .action(async (name: string) => {
      const file = await readHosts(cli.env)
      if (!Object.hasOwn(file.hosts, name))
        throw new UsageError(`${name}: there is no such host; newdt host ls`)
      await useHost(file, name)
      const over = cli.env.NEWDT_HOST ? `, but NEWDT_HOST=${cli.env.NEWDT_HOST} comes first` : ''
      await tell(cli, `${name} is meant when no host is named${over}`)
    })
