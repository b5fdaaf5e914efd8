import { type Libc, SIZE_OF } from './libc.ts'

/**
 * What is to be done with descriptors in a new process, as posix_spawn(3) takes it. The kernel hands out the lowest
 * free numbers, so most starts have the same few descriptors: their actions are kept.
 */
export const createFileActions = (libc: Libc, closeRest: (actions: Buffer, from: number) => void) => {
  const known = new Map<string, Buffer>()

  const forgetAll = (): void => {
    for (const actions of known.values()) libc.posix_spawn_file_actions_destroy(actions)
    known.clear()
  }

  const create = (inherited: number[]): Buffer => {
    const actions = Buffer.alloc(SIZE_OF.fileActions)
    libc.posix_spawn_file_actions_init(actions)
    // dup2 also clears FD_CLOEXEC, even of a descriptor onto itself (POSIX.1-2024).
    for (const [number, fd] of inherited.entries()) libc.posix_spawn_file_actions_adddup2(actions, fd, number)
    closeRest(actions, inherited.length)
    return actions
  }

  return {
    /** Gives the child these descriptors as its own from 0 on, and no other; valid until the next call. */
    inheriting(fds: number[]): Buffer {
      const key = fds.join()
      let actions = known.get(key)
      if (!actions) {
        if (known.size >= MOST_KEPT) forgetAll()
        actions = create(fds)
        known.set(key, actions)
      }
      return actions
    },

    close: forgetAll,
  }
}

const MOST_KEPT = 256
