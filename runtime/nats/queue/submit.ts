import { randomUUID } from 'node:crypto'
import type { Context } from '../../../handlers/services.ts'
import type { Log } from '../../../lib/base/log.ts'
import { type FleetLabel, queueAuthorityOf } from '../../../lib/fleet/names.ts'
import type { QueuedMessage } from '../../../lib/fleet/queue/message.ts'
import type { Queued } from '../../../lib/jobs/job.ts'

export type Submitted = { jobId: string } | { status: number; word: string }

export type Submit = (message: QueuedMessage, label: FleetLabel, queued: Queued) => Promise<Submitted>

/**
 * Submits what has waited in the queue as if it had come directly: with the same checks, bounds, rights and audit.
 * Resolves when it is a job, or when that has ended where it was not asked for as `async`.
 */
export const createSubmit = (
  fetch: (request: Request, context: Context) => Promise<Response>,
  log: Log,
): Submit => {
  return async ({ target, headers, body }, label, queued) => {
    const notes: { caller?: string; error?: string } = {}
    const requestId = randomUUID()
    const context: Context = {
      // Nobody knows where a message comes from, and the engine has read it.
      address: '',
      isPrivate: false,
      isEncrypted: false,
      isRelayed: true,
      onlyRight: 'run',
      requestId,
      authority: queueAuthorityOf(label),
      target,
      queued,
      note: fields => void Object.assign(notes, fields),
    }
    const [path] = target.split('?')
    // What its query has is for the queue, and is signed as it came; see `target`.
    const request = requestOf(`http://localhost${path}`, headers, body)
    if (!request) return { status: 400, word: 'message-malformed' }
    const response = await fetch(request, context)
    const answer = (await response.json()) as { data?: { id?: string } | null; error?: string }
    log.info(
      {
        requestId,
        queueId: queued.id,
        try: queued.try,
        path,
        status: response.status,
        client: 'queue',
        ...notes,
      },
      'request',
    )
    if (response.ok && answer.data?.id !== undefined) return { jobId: answer.data.id }
    // A rejection has no word: it is as the contract gives it.
    return { status: response.status, word: answer.error ?? 'too-many-jobs' }
  }
}

/** Undefined where a header has what none of HTTP may have. */
const requestOf = (
  url: string,
  headers: QueuedMessage['headers'],
  body: QueuedMessage['body'],
): Request | undefined => {
  try {
    return new Request(url, {
      method: 'POST',
      headers: [...headers, ['content-length', String(body.length)]],
      body: new Uint8Array(body),
    })
  } catch {
    return undefined
  }
}
