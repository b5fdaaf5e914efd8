import type { Audit } from '../../../lib/security/audit.ts'

export const openAudit = async (): Promise<Audit> => ({
  async recordOrFail() {},
  async record() {},
  isWritable: () => true,
  async close() {},
})
