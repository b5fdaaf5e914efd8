import type { Guardian } from '../../../lib/process/linux/guardian.ts'

export const createGuardian = (): Guardian => ({
  async protect() {},
  tellLeader() {},
  unprotect() {},
  state: () => ({ state: 'idle', restarts: 0 }),
  close() {},
})
