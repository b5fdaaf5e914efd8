import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context } from '../../../../handlers/services.ts'
import { parseMessage } from '../../../../lib/fleet/queue/message.ts'
import { createSubmit } from '../../../../runtime/nats/queue/submit.ts'
import { rawMessage } from '../../../support/raw-queue-message.ts'
import { recordingLog } from '../../../support/recording-log.ts'

const { headers, body } = rawMessage({
  id: 'deploy-42-of-db',
  cmd: 'uptime',
  target: '/api/jobs/execute/cmd?once=true',
})
const MESSAGE = parseMessage(headers, new TextEncoder().encode(body))!
const LABEL = { name: 'role', value: 'db' }
const QUEUED = { id: MESSAGE.id, try: 2 }

const submitWith = async (answer: (request: Request, context: Context) => Response) => {
  const seen: { request: Request; context: Context }[] = []
  const submit = createSubmit(async (request, context) => {
    seen.push({ request, context })
    return answer(request, context)
  }, recordingLog().log)
  return { submitted: await submit(MESSAGE, LABEL, QUEUED), ...seen[0]! }
}

test('what has waited comes as from nobody: read by others on its way, for the label, with the right to run', async () => {
  const { submitted, context, request } = await submitWith(() => Response.json({ data: { id: 'a-job' } }))
  assert.deepEqual(submitted, { jobId: 'a-job' })
  const { isRelayed, isPrivate, isEncrypted, onlyRight, authority, target, address, queued } = context
  // Its signature is for the label, not for one of the agent's own authorities: that is what `isRelayed` says.
  assert.deepEqual(
    { isRelayed, isPrivate, isEncrypted, onlyRight, authority, target, address, queued },
    {
      isRelayed: true,
      isPrivate: false,
      isEncrypted: false,
      onlyRight: 'run',
      authority: 'db.role.queue.newdt',
      target: '/api/jobs/execute/cmd?once=true',
      address: '',
      queued: QUEUED,
    },
  )
  assert.equal(new URL(request.url).pathname, '/api/jobs/execute/cmd')
  assert.equal(await request.text(), body)
})

test('a refusal has its status and its word, and a rejection that of a lack of room', async () => {
  const refused = await submitWith(() => Response.json({ error: 'forbidden' }, { status: 403 }))
  assert.deepEqual(refused.submitted, { status: 403, word: 'forbidden' })
  const rejected = await submitWith(() => Response.json({ code: 1 }, { status: 429 }))
  assert.deepEqual(rejected.submitted, { status: 429, word: 'too-many-jobs' })
})
