import { tell } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { readHosts, removeHost } from '../hosts-file.ts'
import { type Verb, verb } from '../verb.ts'

export const hostRemove: Verb = cli =>
  verb('rm', 'forget hosts', ['newdt host rm db1'])
    .argument('<name...>', 'of the hosts')
    .action(async (names: string[]) => {
      for (const name of names) {
        const file = await readHosts(cli.env)
        if (!Object.hasOwn(file.hosts, name))
          throw new UsageError(`${name}: there is no such host; newdt host ls`)
        await removeHost(file, name)
        await tell(cli, `${name} is forgotten`)
      }
    })
