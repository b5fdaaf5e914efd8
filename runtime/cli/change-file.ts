import { randomBytes } from 'node:crypto'
import { open, readFile, readlink, realpath, rename, rm, stat } from 'node:fs/promises'
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

/** Waits a while for who has it. */
const lockFile = async (path: string): Promise<AsyncDisposable> => {
  for (let tries = 0; ; tries++) {
    const lock = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    await lock?.close()
    if (lock) return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
    if (tries === MOST_TRIES)
      throw new Failure(`${path}: another newdt is changing the file; if there is none, remove this one`)
    await setTimeout(PAUSE_MS)
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

const PAUSE_MS = 25
const MOST_TRIES = 200
/** As Linux has it. */
const MOST_LINKS = 40
