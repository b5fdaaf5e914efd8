import { tell } from '../cli.ts'
import { removeHost } from '../hosts-file.ts'
import { type Verb, verb } from '../verb.ts'

export const hostRemove: Verb = cli =>
  verb('rm', 'forget hosts', ['newdt host rm db1'])
    .argument('<name...>', 'of the hosts')
    .action(async (names: string[]) => {
      for (const name of names) {
        await removeHost(cli.env, name)
        await tell(cli, `${name} is forgotten`)
      }
    })
