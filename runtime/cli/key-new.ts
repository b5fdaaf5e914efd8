import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { hashToken, parseKeys } from '../../lib/security/keys.ts'
import { type Command, UsageError } from './command.ts'

/** Makes a bearer token for a key, a new one or one that is there: then both tokens are good until one is taken out. */
export const keyNew: Command = async args => {
  const { id, rights, file } = optionsOf(args)
  const token = `nda_${randomBytes(32).toString('base64url')}`
  const given = file === undefined ? [] : await readKeys(file)
  const keys = withToken(given, id, rights, hashToken(token))
  const text = `${JSON.stringify({ keys }, null, 2)}\n`
  parseKeys(text)
  if (file === undefined) {
    process.stderr.write(`To be added to the file of keys:\n${JSON.stringify(keys[0])}\n`)
  } else {
    await replace(file, text)
    process.stderr.write(`${file}: the key "${id}" has a new token. It is shown only now:\n`)
  }
  process.stdout.write(`${token}\n`)
  return 0
}

interface KeyInFile {
  id: string
  rights?: string[]
  token?: string | string[]
}

const optionsOf = (args: string[]) => {
  try {
    const { values } = parseArgs({
      args,
      options: { id: { type: 'string' }, rights: { type: 'string' }, file: { type: 'string' } },
    })
    if (values.id === undefined) throw new Error('--id is missing: whom is the key for?')
    return {
      id: values.id,
      rights: values.rights?.split(',').map(right => right.trim()),
      file: values.file ?? process.env.AGENT_KEYS_FILE,
    }
  } catch (error) {
    throw new UsageError(`key new: ${(error as Error).message}`)
  }
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

/** None where there is no file yet. Rejects when it is no file of keys. */
const readKeys = async (path: string): Promise<KeyInFile[]> => {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
  if (text === undefined) return []
  try {
    parseKeys(text)
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`)
  }
  return (JSON.parse(text) as { keys: KeyInFile[] }).keys
}

/** At once: an agent never sees half a file. Its owner and mode stay. */
const replace = async (path: string, text: string): Promise<void> => {
  const known = await stat(path).catch(() => undefined)
  const beside = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(beside, 'wx', 0o600)
  try {
    if (known) {
      await file.chown(known.uid, known.gid)
      await file.chmod(known.mode & 0o777)
    }
    await file.writeFile(text)
    await file.sync()
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  } finally {
    await file.close()
  }
}
