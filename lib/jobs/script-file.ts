import { randomInt } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Letters, digits, `.`, `_`, `-` and CJK letters, at most 100 of them; never `.` or `..`. */
export const isScriptName = (name: string): boolean => SCRIPT_NAME.test(name) && name !== '.' && name !== '..'

const SCRIPT_NAME = /^(?:[A-Za-z0-9._\-]|[\p{L}&&[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}]]){1,100}$/v

/** Where a job's script will be: `<directory>/newdt-auto-<10 random digits>-<name>`. */
export const newScriptPath = (directory: string, name: string): string =>
  join(directory, `newdt-auto-${randomInt(1e9, 1e10)}-${shorten(name)}`)

/** Whether a file is called as only a job's script is. */
export const isScriptFile = (name: string): boolean => /^newdt-auto-\d{10}-./s.test(name)

/**
 * Creates the file, mode 0700, for `owner` if there is one; rejects if anything is there already, a planted symbolic link
 * included.
 */
export const writeScript = async (
  path: string,
  content: string,
  owner?: { uid: number; gid: number },
): Promise<void> => {
  const file = await open(path, 'wx', 0o700)
  try {
    await file.chmod(0o700) // Whatever the umask.
    if (owner) await file.chown(owner.uid, owner.gid) // Before there is anything to be read in it.
    await file.writeFile(content)
  } catch (error) {
    await removeScript(path)
    throw error
  } finally {
    await file.close()
  }
}

/** Never rejects: a script that is gone already is as good. */
export const removeScript = (path: string): Promise<void> => rm(path, { force: true }).catch(() => {})

/** A file name holds 255 bytes, 100 CJK letters need more: the end, with the extension, is kept. */
const shorten = (name: string): string => {
  let letters = [...name]
  while (Buffer.byteLength(letters.join('')) > LONGEST_NAME_BYTES) letters = letters.slice(1)
  return letters.join('')
}

/** 255 (NAME_MAX) less "newdt-auto-", ten digits and "-". */
const LONGEST_NAME_BYTES = 255 - 22
