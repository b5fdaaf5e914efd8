import type { Libc } from './libc.ts'

/**
 * Leaves the session keyring for a new one, keyctl_join_session_keyring(3): who has one, has all rights to what is in it,
 * whatever user it becomes. Of this thread only, and of what is started from it. Where the kernel has no keyrings, or does
 * not let anybody use them, there is nothing to leave.
 */
export const createKeyringLeaver = (libc: Libc) => {
  const keyctl = SYS_KEYCTL[process.arch]
  return (): void => {
    if (keyctl !== undefined) libc.syscall(keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0)
  }
}

const SYS_KEYCTL: Partial<Record<string, number>> = { x64: 250, arm64: 219 }
const KEYCTL_JOIN_SESSION_KEYRING = 1
