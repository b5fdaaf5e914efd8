/**
 * Has the kernel let no other process of the same account read this one's memory, by ptrace or in /proc, nor write a
 * core dump of it. Programs that it starts are not affected. Does nothing on other systems.
 */
export const concealMemory = async (): Promise<void> => {
  if (process.platform !== 'linux') return
  const { openLibc, PR_SET_DUMPABLE } = await import('./libc.ts')
  openLibc().prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
}
