import type { KeyInFile } from '../keys-file.ts'
import { type OutputFormat, outputOption, printRows } from '../output-format.ts'
import type { Column } from '../table.ts'
import { type Verb, verb } from '../verb.ts'

/** The keys of a file: never a secret. */
export const keyList: Verb = cli => {
  const command = verb('list', 'list the keys of a file of keys', [
    'newdt key list --file /etc/newdt/keys.json',
  ])
  command
    .alias('ls')
    .option('--file <file>', 'the file of keys (default: AGENT_KEYS_FILE)')
    .addOption(outputOption())
  return command.action(async ({ file, output }: { file?: string; output: OutputFormat }) => {
    const { neededKeysPath, readKeys } = await import('../keys-file.ts')
    const path = neededKeysPath(cli, file)
    const keys = await readKeys(path)
    await printRows(cli, keys.map(withoutSecrets), COLUMNS, output)
  })
}

interface Row {
  id: string
  rights: string[]
  credentials: string[]
  expires: string | null
}

const withoutSecrets = (key: KeyInFile): Row => ({
  id: key.id,
  rights: key.rights ?? [],
  credentials: KINDS.flatMap(kind => {
    const count = [key[kind] ?? []].flat().length
    return count === 0 ? [] : [count === 1 ? kind : `${count} × ${kind}`]
  }),
  expires: key.expires ?? null,
})

const KINDS = ['secret', 'ed25519', 'token', 'certificate'] as const

const COLUMNS: Column<Row>[] = [
  { head: 'ID', text: ({ id }) => id },
  { head: 'RIGHTS', text: ({ rights }) => rights.join(',') },
  { head: 'CREDENTIALS', text: ({ credentials }) => credentials.join(', ') || '-' },
  { head: 'EXPIRES', text: ({ expires }) => expires ?? '-' },
]
