import { randomBytes } from 'node:crypto'
import { open, readFile, readlink, realpath, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Failure } from './failure.ts'

/**
 * Changes a file, from what is in it (undefined: there is none) to what `change` resolves with. Nobody sees half of
 * it, and two that change it at once do so one after the other. Its owner and mode stay; a new one is for the account
 * alone. A link is followed, also to where nothing is yet. Rejects with Failure when the owner cannot stay.
 */
export const changeFile = async (
  path: string,
  change: (text: string | undefined) => Promise<string>,
): Promise<void> => {
  const file = await targetOf(path)
  await using _lock = await lockFile(`${file}.lock`)
  const text = await change(await readFile(file, 'utf8').catch(ignoreMissing))
  await replaceFile(file, text)
}

const targetOf = async (path: string): Promise<string> => {
  let target = path
  for (let links = 0; links < MOST_LINKS; links++) {
    const link = await readlink(target).catch(() => undefined)
    if (link === undefined) break
    target = resolve(await realpath(dirname(target)), link)
  }
  return target
}

/** Waits a while for who has it, unless that is known to be gone. */
const lockFile = async (path: string): Promise<AsyncDisposable> => {
  for (let tries = 0; ; tries++) {
    if (await make(path, OWNER)) return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
    if (tries % BREAK_EVERY === 0 && (await breakStale(path))) continue
    if (tries === MOST_TRIES)
      throw new Failure(`${path}: another newdt is changing the file; if there is none, remove this one`)
    await setTimeout(PAUSE_MS)
  }
}

/** False when it is there already. */
const make = async (path: string, text: string): Promise<boolean> => {
  const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  if (!file) return false
  try {
    await file.writeFile(text)
    return true
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
}

/**
 * Removes a lock whose newdt has ended without doing so. Of several that see that, one does it: under a lock of its own
 * that is named by who is gone, it looks again, for by then it may be another's.
 */
const breakStale = async (path: string): Promise<boolean> => {
  const owner = await goneOwnerOf(path)
  if (owner === undefined) return false
  const breaking = `${path}.${owner}`
  if (!(await make(breaking, ''))) return false
  try {
    if ((await goneOwnerOf(path)) !== owner) return false
    await rm(path, { force: true })
    return true
  } finally {
    await rm(breaking, { force: true })
  }
}

/** The pid of who has the lock and lives no more; undefined where that is not known. */
const goneOwnerOf = async (path: string): Promise<number | undefined> => {
  const [, pid, host] = /^([1-9]\d{0,9}) (.+)$/.exec(await readFile(path, 'utf8').catch(() => '')) ?? []
  // A home may be shared by hosts, and by containers.
  if (pid === undefined || host !== hostname()) return undefined
  return isAlive(Number(pid)) ? undefined : Number(pid)
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

const replaceFile = async (path: string, text: string): Promise<void> => {
  const known = await stat(path).catch(ignoreMissing)
  const beside = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(beside, 'wx', 0o600)
  try {
    if (known) {
      await file.chown(known.uid, known.gid).catch(error => {
        throw ownerLost(path, error)
      })
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

const ownerLost = (path: string, { code, message }: NodeJS.ErrnoException): Failure =>
  new Failure(
    `${path}: ${code === 'EPERM' ? 'its owner or group is another one, and would not stay; change it as that account' : message}`,
  )

const ignoreMissing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error
}

const OWNER = `${process.pid} ${hostname()}`
const PAUSE_MS = 25
/** Tries. */
const BREAK_EVERY = 8
const MOST_TRIES = 200
/** As Linux has it. */
const MOST_LINKS = 40
