import { bareServers } from '../engine-url.ts'
import { type FleetEntry, type HostEntry, readHosts } from '../hosts-file.ts'
import { type OutputFormat, outputOption, printRows } from '../output-format.ts'
import type { Column } from '../table.ts'
import { type Verb, verb } from '../verb.ts'
import { localOf } from '../which-host.ts'

interface Row {
  name: string
  url: string
  current: boolean
  auth: string
  /** A fleet has the URL of its engine. */
  isFleet: boolean
}

/** The hosts and the fleets that are kept; never a secret. */
export const hostList: Verb = cli =>
  verb('list', 'list the hosts and fleets that are kept', ['newdt host ls'])
    .alias('ls')
    .addOption(outputOption())
    .action(async ({ output }: { output: OutputFormat }) => {
      const { hosts, fleets = {}, current } = await readHosts(cli.env)
      const rows = await Promise.all(
        Object.entries(hosts).map(
          async ([name, entry]): Promise<Row> => ({
            name,
            url: entry.url,
            current: name === current,
            auth: await authOf(cli.env, entry),
            isFleet: false,
          }),
        ),
      )
      const ofFleets = Object.entries(fleets).map(
        ([name, entry]): Row => ({
          name,
          url: bareServers(entry.url).join(','),
          current: name === cli.env.NEWDT_FLEET,
          auth: authOfFleet(entry),
          isFleet: true,
        }),
      )
      await printRows(cli, [...rows, ...ofFleets], COLUMNS, output)
    })

const COLUMNS: Column<Row>[] = [
  {
    head: 'NAME',
    text: ({ name, current, isFleet }) => `${name}${isFleet ? ' (fleet)' : ''}${current ? ' *' : ''}`,
  },
  { head: 'URL', text: ({ url }) => url },
  { head: 'AUTH', text: ({ auth }) => auth },
]

const authOfFleet = ({ key, secret, secret_file, private_key_file }: FleetEntry): string => {
  const isSecret = (secret ?? secret_file) !== undefined
  const kind = private_key_file !== undefined ? 'ed25519' : isSecret ? 'secret' : 'none'
  return `${kind}${key === undefined ? '' : ` (${key})`}`
}

const authOf = async (env: NodeJS.ProcessEnv, entry: HostEntry): Promise<string> => {
  const kinds = [
    entry.private_key_file !== undefined && 'ed25519',
    (entry.secret ?? entry.secret_file) !== undefined &&
      (entry.signature === 'contract' ? 'contract' : 'secret'),
    (entry.token ?? entry.token_file) !== undefined && 'token',
    entry.cert !== undefined && 'certificate',
  ].filter(kind => kind !== false)
  const other = async () => ((await localOf(env, entry)) ? 'secret of this machine' : 'none')
  return `${kinds.join(', ') || (await other())}${entry.key === undefined ? '' : ` (${entry.key})`}`
}
