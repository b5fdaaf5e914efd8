import { tell } from '../cli.ts'
import { useHost } from '../hosts-file.ts'
import { type Verb, verb } from '../verb.ts'

/** Which host is meant when none is named. */
export const hostUse: Verb = cli =>
  verb('use', 'choose the host that is meant when none is named', ['newdt host use db1'])
    .argument('<name>', 'of the host')
    .action(async (name: string) => {
      await useHost(cli.env, name)
      const over = cli.env.NEWDT_HOST ? `, but NEWDT_HOST=${cli.env.NEWDT_HOST} comes first` : ''
      await tell(cli, `${name} is meant when no host is named${over}`)
    })
