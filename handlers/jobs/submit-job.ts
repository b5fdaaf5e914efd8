import { createHash } from 'node:crypto'
import type { IRequestStrict } from 'itty-router'
import type { ZodType } from 'zod'
import { failure } from '../../lib/base/errors.ts'
import type { JobRequest } from '../../lib/jobs/job.ts'
import type { Submission } from '../../lib/jobs/jobs.ts'
import type { AuditEntry } from '../../lib/security/audit-line.ts'
import type { IdempotencyKey } from '../../lib/store/job-store.ts'
import { readJson } from '../http/body.ts'
import { refusal } from '../http/refusal.ts'
import { rejected } from '../http/reply.ts'
import { eventStream } from '../output/event-stream.ts'
import type { CallerContext, Services } from '../services.ts'
import { replyJob } from './reply-job.ts'
import { withJob } from './with-job.ts'

/**
 * Submits what the body asks for; answers when it has ended, as soon as it runs if it is `async`, or with its events
 * as they happen if that is what the client accepts.
 */
export const submitJob = async (
  request: IRequestStrict,
  { jobs, audit }: Pick<Services, 'jobs' | 'audit'>,
  { caller, bodyRules, mayStart, assertUnused, reading, auditLine, queued }: CallerContext,
  schema: ZodType<JobRequest>,
): Promise<Response> => {
  if (!mayStart) throw failure('nonce-not-remembered')
  const { value, bytes } = await readJson(request, schema, bodyRules)
  auditLine.add({ ...audit.hashesOf(value, bytes), ...whose(value.user), queue: queued?.id })
  const submission = await jobs.submit(value, caller, {
    key: idempotencyKey(request, bytes),
    queue: queued,
    record: async (job, user) => {
      assertUnused?.()
      await auditLine.write({ outcome: 'accepted', job, ...whose(user) }, audit.textOf(value))
    },
  })
  auditLine.add(outcomeOf(submission))
  if (submission.rejected) return rejected(submission.id, submission.running, request)
  return withJob(submission.id, jobs, request, reading, async job => {
    if (acceptsEvents(request)) return eventStream(job)
    if (!value.async) await job.waitForEnd({ signal: request.signal })
    return replyJob(job, caller)
  })
}

/** Whom it is to run as; nothing for the agent's own user. */
const whose = (user = ''): Partial<AuditEntry> => (user === '' ? {} : { user })

/** That it was accepted has been written before anything of it was run. */
const outcomeOf = ({ id, ...submission }: Submission): Partial<AuditEntry> => {
  if (submission.rejected) return { outcome: 'rejected', job: id }
  return { outcome: submission.repeated ? 'repeated' : 'accepted', job: id }
}

const acceptsEvents = ({ headers }: IRequestStrict): boolean =>
  /(^|,)\s*text\/event-stream\s*(;|,|$)/i.test(headers.get('accept') ?? '')

/** No body is both a command and a script, so the body alone tells two requests apart. */
const idempotencyKey = (request: IRequestStrict, body: Uint8Array): IdempotencyKey | undefined => {
  const key = request.headers.get('idempotency-key')
  if (key === null) return undefined
  if (!IDEMPOTENCY_KEY.test(key)) throw refusal('invalid-request', { detail: BAD_KEY })
  return { key, requestHash: createHash('sha256').update(body).digest() }
}

export const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,255}$/

const BAD_KEY = {
  zh: 'Idempotency-Key 应为 1 到 255 个可见 ASCII 字符',
  en: 'Idempotency-Key must be 1 to 255 visible ASCII characters',
}
