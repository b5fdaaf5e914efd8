import { readFile } from 'node:fs/promises'

/**
 * Whether a group has this account in it and nobody else, as `useradd` makes one for each user: such systems have the
 * umask 002, so that what an account makes may be written by its group. False where that cannot be told.
 */
export const isPrivateGroup = async (gid: number): Promise<boolean> => {
  const uid = process.getuid?.()
  // The group of root may have others in it that no file names, in containers for example.
  if (uid === undefined || uid === 0 || gid !== uid) return false
  const [users, groups] = await Promise.all(
    ['/etc/passwd', '/etc/group'].map(path => readFile(path, 'utf8').catch(() => '')),
  )
  return isAlone(uid, { users: users!, groups: groups! })
}

/** By what is in /etc/passwd and /etc/group: passwd(5), group(5). The group has the number of the user. */
export const isAlone = (uid: number, { users, groups }: { users: string; groups: string }): boolean => {
  const [known, all] = [users, groups].map(fieldsOf)
  const accounts = known!.filter(([, , id, group]) => id === String(uid) || group === String(uid))
  const entries = all!.filter(([, , id]) => id === String(uid))
  const [name, , id] = accounts[0] ?? []
  const [group, , , members = ''] = entries[0] ?? []
  if (accounts.length !== 1 || entries.length !== 1 || id !== String(uid) || group !== name) return false
  return members.split(',').every(member => member === '' || member === name)
}

const fieldsOf = (text: string): string[][] => text.split('\n').map(line => line.split(':'))
