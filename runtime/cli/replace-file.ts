import { randomBytes } from 'node:crypto'
import { open, rename, rm, stat } from 'node:fs/promises'

/** At once: nobody ever sees half a file. Its owner and mode stay; a new one is for the account alone. */
export const replaceFile = async (path: string, text: string): Promise<void> => {
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
