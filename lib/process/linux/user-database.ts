import koffi from 'koffi'
import { createLookUps } from '../../base/look-ups.ts'
import type { Account } from '../types.ts'
import { ERANGE, errnoText } from './libc.ts'

/**
 * Looks up users in all that nsswitch.conf(5) names, an LDAP server for example: on threads of libuv's pool, since that
 * may take its time. At most two of them at once, for files are read and written on the same threads.
 */
export const createUserDatabase = () => {
  const libc = koffi.load(null)
  const passwd = koffi.struct({
    name: 'const char *',
    password: 'const char *',
    uid: 'uint32_t',
    gid: 'uint32_t',
    gecos: 'const char *',
    home: 'const char *',
    shell: 'const char *',
  })
  const group = koffi.struct({
    name: 'const char *',
    password: 'const char *',
    gid: 'uint32_t',
    members: 'void *',
  })
  const getUser = libc.func('getpwnam_r', 'int', [
    'const char *',
    koffi.out(koffi.pointer(passwd)),
    'void *',
    'size_t',
    koffi.out('uintptr_t *'),
  ])
  const getGroup = libc.func('getgrnam_r', 'int', [
    'const char *',
    koffi.out(koffi.pointer(group)),
    'void *',
    'size_t',
    koffi.out('uintptr_t *'),
  ])
  const getGroups = libc.func(
    'int getgrouplist(const char *user, uint32_t group, void *groups, _Inout_ int *count)',
  )

  /** The entry of a name; undefined when there is none. `get` is one of the two functions above. */
  const entryOf = async <T>(get: CFunction, name: string): Promise<T | undefined> => {
    for (let size = 4096; ; size *= 4) {
      const entry = {}
      const found: [number | bigint] = [0]
      const error = await inBackground(get, name, entry, Buffer.alloc(size), size, found)
      if (error === ERANGE && size < LARGEST_ENTRY) continue
      if (error === 0 && found[0]) return entry as T
      if (error === 0 || NOT_FOUND.includes(error)) return undefined
      throw Object.assign(new Error(`the user database cannot be read: ${errnoText(error)}`), {
        errno: error,
      })
    }
  }

  const groupsOf = async (user: string, gid: number): Promise<number[]> => {
    for (let most = 64; ; most *= 8) {
      const groups = Buffer.alloc(4 * most)
      const count: [number] = [most]
      const result = await inBackground(getGroups, user, gid, groups, count)
      if (result >= 0) return Array.from({ length: count[0] }, (_, index) => groups.readUInt32LE(4 * index))
      if (most > MOST_GROUPS)
        throw new Error(`the user database names more than ${MOST_GROUPS} groups for ${user}`)
    }
  }

  const lookUp = async (user: string, groupName?: string): Promise<Found> => {
    const found = await entryOf<Passwd>(getUser, user)
    if (!found) return undefined
    const { uid, home, shell } = found
    const ofGroup = groupName === undefined ? undefined : await entryOf<{ gid: number }>(getGroup, groupName)
    if (groupName !== undefined && !ofGroup) return 'no-group'
    const gid = ofGroup?.gid ?? found.gid
    const groups = [...new Set([gid, ...(await groupsOf(user, found.gid))])]
    return { name: user, uid, gid, groups, home: home ?? '', shell: shell ?? '' }
  }

  const { find, isAsking } = createLookUps(lookUp, {
    mostAtOnce: MOST_AT_ONCE,
    longestMs: LONGEST_MS,
    noAnswer: () => new Error('the user database does not answer'),
  })
  return {
    /** See Processes. */
    find,
    /** Whether a call is under way that may never end. */
    isAsking,
  }
}

type Found = Account | 'no-group' | undefined

type CFunction = ReturnType<ReturnType<typeof koffi.load>['func']>

interface Passwd {
  uid: number
  gid: number
  home: string | null
  shell: string | null
}

const inBackground = (call: CFunction, ...args: unknown[]): Promise<number> =>
  new Promise((resolve, reject) => {
    call.async(...args, (error: Error | null, result: number) => (error ? reject(error) : resolve(result)))
  })

/** ENOENT, ESRCH, EBADF, EPERM: what getpwnam(3) says that different systems mean by it. */
const NOT_FOUND = ['ENOENT', 'ESRCH', 'EBADF', 'EPERM'].map(name => koffi.os.errno[name]!)
const LARGEST_ENTRY = 1 << 20
/** NGROUPS_MAX of Linux. */
const MOST_GROUPS = 65_536
const MOST_AT_ONCE = 2
/** The time that others take who come first counts, too. */
const LONGEST_MS = 15_000
