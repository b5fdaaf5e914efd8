import { StartError } from '../types.ts'
import { errnoText, type Libc, MFD_CLOEXEC } from './libc.ts'

/** Opens an empty file in memory, memfd_create(2): it never waits for a disk. Throws StartError. */
export const openMemoryFile = (libc: Libc, name: string): number => {
  const fd = libc.memfd_create(name, MFD_CLOEXEC)
  if (fd < 0) throw new StartError(`memfd_create: ${errnoText(libc.errno())}`)
  return fd
}
