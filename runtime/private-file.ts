import type { Stats } from 'node:fs'
import { lstat, readlink, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { withRegularFile } from './regular-file.ts'

/**
 * Reads a file that says who may do what. Rejects with an Error, which never holds what is in it, when another account
 * may change it, or put another in its place; or read it, if it `holdsSecrets` by what it says. `mayWrite` says of
 * which groups the directories on the way may be written, too.
 */
export const readPrivateFile = <T>(
  path: string,
  parse: (text: string) => T,
  holdsSecrets: (parsed: T) => boolean,
  mayWrite: MayWrite = nobody,
): Promise<T> =>
  withRegularFile(path, async (file, { mode, uid }) => {
    const own = ownAccount()
    if (own !== undefined && uid !== own && uid !== 0)
      throw new Error(`it belongs to user ${uid}; chown it to ${own}`)
    if ((mode & 0o022) !== 0) throw new Error(`others may write it; chmod 600 ${path}`)
    await refuseOpenWay(path, mayWrite)
    const parsed = parse(await file.readFile('utf8'))
    if ((mode & 0o044) !== 0 && holdsSecrets(parsed)) {
      throw new Error(`it holds secrets that others may read; chmod 600 ${path}`)
    }
    return parsed
  })

type MayWrite = (gid: number) => boolean | Promise<boolean>
const nobody: MayWrite = () => false
const ownAccount = (): number | undefined => process.getuid?.()

/**
 * Whoever may rename entries on the way to a file could put an earlier one of the agent's back, with a key that was
 * revoked since. So each directory, also where symbolic links lead, belongs to root or the agent's account (`own`), and
 * nobody else may write it. In one with the sticky bit, such as /tmp, nobody may rename what is another's; but anybody
 * may have put a link there. Rejects with ENOENT where nothing is yet, once all that is there is good.
 */
export const refuseOpenWay = async (
  path: string,
  mayWrite: MayWrite = nobody,
  own = ownAccount(),
): Promise<void> => {
  const rules = { mayWrite, own }
  // Not joined: what is before `..` may be a link, and the system goes up from where that leads.
  const ahead = (isAbsolute(path) ? path : `${process.cwd()}/${path}`).split('/')
  let at = '/'
  await refuseOpenDirectory(at, await stat(at), rules)
  for (let links = 0; ahead.length > 0; ) {
    const next = join(at, ahead.shift()!)
    const stats = await lstat(next)
    if (stats.isSymbolicLink()) {
      if (++links > MOST_LINKS) throw new Error(`too many symbolic links on the way to ${path}`)
      refuseOthers(`the link ${next}`, stats, own)
      const target = await readlink(next)
      ahead.unshift(...target.split('/'))
      if (isAbsolute(target)) at = '/'
    } else {
      if (stats.isDirectory()) await refuseOpenDirectory(next, stats, rules)
      at = next
    }
  }
}

const refuseOpenDirectory = async (
  path: string,
  stats: Stats,
  { mayWrite, own }: { mayWrite: MayWrite; own: number | undefined },
): Promise<void> => {
  refuseOthers(`the directory ${path}`, stats, own)
  const { mode, gid } = stats
  if ((mode & 0o022) === 0 || (mode & STICKY) !== 0) return
  if ((mode & 0o002) !== 0 || !(await mayWrite(gid)))
    throw new Error(`others may write the directory ${path}; chmod go-w ${path}`)
}

const refuseOthers = (name: string, { uid }: Stats, own: number | undefined): void => {
  if (own !== undefined && uid !== own && uid !== 0)
    throw new Error(
      `${name} belongs to user ${uid}, who may put another file in its place; chown it to ${own}`,
    )
}

const STICKY = 0o1000
/** As many as Linux follows. */
const MOST_LINKS = 40
