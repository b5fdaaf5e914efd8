/**
 * Overwrites variables in the memory that the kernel shows as /proc/<pid>/environ, and `ps e` with it: deleting
 * them from the environment leaves that copy as it was. Does nothing where there is no /proc.
 */
export const eraseFromEnvironment = async (names: string[]): Promise<void> => {
  if (process.platform !== 'linux') return
  const { default: koffi } = await import('koffi')
  const libc = koffi.load(null)
  const getenv = libc.func('void *getenv(const char *name)')
  const strlen = libc.func('size_t strlen(void *text)')
  const memset = libc.func('void *memset(void *memory, int byte, size_t length)')
  for (const name of names) {
    const value = getenv(name)
    if (value !== null) memset(value, 0, strlen(value))
  }
}
