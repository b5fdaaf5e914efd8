import { randomBytes } from 'node:crypto'
import { RIGHTS } from '../../../lib/security/caller.ts'
import { tell } from '../cli.ts'
import { UsageError } from '../failure.ts'
import type { KeyInFile } from '../keys-file.ts'
import { type Verb, verb } from '../verb.ts'

interface Options {
  id: string
  rights?: string
  file?: string
}

/** Makes a bearer token for a key, a new one or one that is there: then both tokens are good until one is taken out. */
export const keyNew: Verb = cli => {
  const command = verb('new', 'make a token for a key: print it once, keep its hash in the file of keys', [
    'newdt key new --id alice --rights read --file /etc/newdt/keys.json',
    'newdt key new --id alice --file /etc/newdt/keys.json     # a second token, to take the place of the first',
  ])
  command
    .requiredOption('--id <id>', 'whom the key is for')
    .option('--rights <rights>', 'what it may do: read, run, admin, with commas between them')
    .option(
      '--file <file>',
      'the file of keys (default: AGENT_KEYS_FILE); without one, the key is only printed',
    )
  return command.action(async ({ id, rights, file }: Options) => {
    const { changeKeys, checkKeys, keysPath, refuseOpenPlace } = await import('../keys-file.ts')
    const { hashToken } = await import('../../../lib/security/keys.ts')
    const token = `nda_${randomBytes(32).toString('base64url')}`
    const path = keysPath(cli, file)
    const rightsOf = rights?.split(',').map(right => right.trim())
    const wrong = rightsOf?.find(right => !(RIGHTS as readonly string[]).includes(right))
    if (wrong !== undefined)
      throw new UsageError(`key new: --rights: "${wrong}" is none of ${RIGHTS.join(', ')}`)
    const withNew = (keys: KeyInFile[]): KeyInFile[] => {
      const changed = withToken(keys, id, rightsOf, hashToken(token))
      checkKeys(changed)
      return changed
    }
    if (path === undefined) {
      await cli.err.write(`To be added to the file of keys:\n${JSON.stringify(withNew([])[0])}\n`)
      return cli.out.write(`${token}\n`)
    }
    await refuseOpenPlace(path)
    await changeKeys(path, async keys => {
      const changed = withNew(keys)
      // Before its hash is kept: nobody must have a key whose token was never seen.
      await cli.out.write(`${token}\n`)
      return changed
    })
    await tell(cli, `${path}: the key "${id}" has a new token, which is shown only now`)
  })
}

const withToken = (
  keys: KeyInFile[],
  id: string,
  rights: string[] | undefined,
  token: string,
): KeyInFile[] => {
  const known = keys.find(key => key.id === id)
  if (!known) {
    if (!rights) throw new UsageError(`key new: --rights is missing: what may "${id}" do? (read, run, admin)`)
    return [...keys, { id, rights, token }]
  }
  if (rights && rights.join() !== known.rights?.join())
    throw new UsageError(
      `key new: "${id}" is there already, with other rights; leave --rights out to add a token`,
    )
  const tokens = [known.token ?? []].flat()
  return keys.map(key => (key === known ? { ...key, token: [...tokens, token] } : key))
}
