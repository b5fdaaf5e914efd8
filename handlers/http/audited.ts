import { AgentError } from '../../lib/base/errors.ts'
import type { AuditEntry } from '../../lib/security/audit-line.ts'
import type { AuditLine, CallerContext, Context, Handler } from '../services.ts'

type Audited = Context & Pick<CallerContext, 'caller' | 'auditLine'>

/**
 * Has what the handler did, or was refused, written to the audit trail before it is answered. Only what was accepted
 * to be run has a line for each; of the rest anybody can have any number.
 */
export const audited =
  <C extends Audited>(action: string, handler: Handler<C>): Handler<C> =>
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
      async write(fields, text) {
        Object.assign(entry, fields)
        await audit.recordOrFail({ ...entry, ...text })
        isWritten = true
      },
      begin: () => recordDone({ ...entry, outcome: 'begun' }),
    }
    /** Whoever does something to one job over and over must not hide what is done to another. */
    const recordDone = (done: AuditEntry): Promise<void> =>
      audit.recordRepeatable(done, `${done.job} ${done.detail}`)
    try {
      const response = await handler(request, services, { ...context, auditLine })
      if (!isWritten) await (entry.outcome === 'done' ? recordDone(entry) : audit.recordRepeatable(entry))
      return response
    } catch (error) {
      const outcome = error instanceof AgentError ? error.code : 'internal'
      await audit.recordRepeatable({ ...entry, outcome })
      throw error
    }
  }

/** What a client has sent in its place may be anything. */
const LONGEST_ID = 64
