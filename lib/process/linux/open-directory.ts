import { closeSync, constants, open } from 'node:fs'
import { readlink } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { OpenDirectory } from '../types.ts'
import { O_PATH } from './libc.ts'

/** It need not be readable, and its name is asked of the kernel: nobody can change it between the two. */
export const openDirectory = async (path: string): Promise<OpenDirectory> => {
  const fd = await promisify(open)(path, O_PATH | constants.O_DIRECTORY) // libuv adds O_CLOEXEC.
  try {
    return { path: await readlink(`/proc/self/fd/${fd}`), fd, [Symbol.dispose]: () => closeSync(fd) }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}
