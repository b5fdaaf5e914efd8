import { AgentError } from '../../lib/base/errors.ts'
import type { AuditEntry } from '../../lib/security/audit-line.ts'
import type { AuditLine, Handler } from '../services.ts'

/** Has what the handler did, or was refused, written to the audit trail before it is answered. */
export const audited =
  (action: string, handler: Handler): Handler =>
  async (request, services, context) => {
    const { caller } = context
    const { audit } = services
    const entry: AuditEntry = {
      action,
      outcome: 'done',
      caller: caller.id,
      client: caller.address,
      job: request.params.id?.slice(0, LONGEST_ID),
    }
    let isWritten = false
    const auditLine: AuditLine = {
      add: fields => void Object.assign(entry, fields),
      async write(fields) {
        Object.assign(entry, fields)
        await audit.recordOrFail(entry)
        isWritten = true
      },
    }
    try {
      const response = await handler(request, services, { ...context, auditLine })
      if (!isWritten) await audit.record(entry)
      return response
    } catch (error) {
      const outcome = error instanceof AgentError ? error.code : 'internal'
      await audit.record({ ...entry, outcome })
      throw error
    }
  }

/** What a client has sent in its place may be anything. */
const LONGEST_ID = 64
