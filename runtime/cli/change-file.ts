import { randomBytes } from 'node:crypto'
import { open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { Failure } from './failure.ts'

/**
 * Changes a file, from what is in it (undefined: there is none) to what `change` resolves with. Nobody sees half of
 * it, and two that change it at once do so one after the other. Its owner and mode stay; a new one is for the account
 * alone. A link is followed.
 */
export const changeFile = async (
  path: string,
  change: (text: string | undefined) => Promise<string>,
): Promise<void> => {
  const file = await realpath(path).catch(() => path)
  await using _lock = await lockFile(`${file}.lock`)
  const text = await change(await readFile(file, 'utf8').catch(ignoreMissing))
  await replaceFile(file, text)
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

const ignoreMissing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error
}

const PAUSE_MS = 25
const MOST_TRIES = 200
