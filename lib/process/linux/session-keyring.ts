import koffi from 'koffi'
import { StartError } from '../types.ts'
import { errnoText, type Libc } from './libc.ts'

/**
 * Whoever is in a session keyring has all rights to what is in it, whatever user it becomes. So a job of another user is
 * started from a new one: `leave` puts this thread, and what is started from it, into that, and what it returns brings the
 * thread back to where the agent's own keys are; keyctl(2). Where the kernel has no keyrings, or lets nobody use them,
 * there is nothing to leave. Throws StartError.
 */
export const createSessionKeyring = (libc: Libc) => {
  const keyctl = SYS_KEYCTL[process.arch]
  const name = `newdt-auto-${process.pid}`
  let isNamed = false

  const call = (operation: number, first: string | number | null, second = 0): number =>
    keyctl === undefined
      ? -1
      : typeof first === 'number'
        ? libc.syscall(keyctl, operation, first, second)
        : libc.syscall_text(keyctl, operation, first)

  /** A keyring with a name, the only kind that one can come back to, with the keys of the one before in it. */
  const enterNamed = (): void => {
    const before = call(GET_KEYRING_ID, SESSION_KEYRING)
    const named = call(JOIN_SESSION_KEYRING, name)
    if (named < 0) return
    isNamed = true
    call(SETPERM, named, PERMISSIONS)
    if (before > 0) call(LINK, before, named)
    // One that nobody refers to is gone; the process keyring is not handed on to what is started.
    call(LINK, named, PROCESS_KEYRING)
  }

  return {
    leave(): () => void {
      if (!isNamed) enterNamed()
      if (call(JOIN_SESSION_KEYRING, null) < 0) {
        const errno = libc.errno()
        if (!WITHOUT_KEYRINGS.includes(errno) && keyctl !== undefined)
          throw new StartError(`session keyring: ${errnoText(errno)}`)
      }
      return () => void (isNamed && call(JOIN_SESSION_KEYRING, name))
    },
  }
}

const SYS_KEYCTL: Partial<Record<string, number>> = { x64: 250, arm64: 219 }
const GET_KEYRING_ID = 0
const JOIN_SESSION_KEYRING = 1
const SETPERM = 5
const LINK = 8
const PROCESS_KEYRING = -2
const SESSION_KEYRING = -3
/** All for who possesses it; view, read, search and link for the agent's user, who comes back to it by name. */
const PERMISSIONS = 0x3f1b0000

/** Also what a container says that allows none. */
const WITHOUT_KEYRINGS = ['ENOSYS', 'EPERM', 'EACCES'].map(one => koffi.os.errno[one])
