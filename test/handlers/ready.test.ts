import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AgentStatus } from '../../handlers/services.ts'
import { assertRefused, createFake, failed, succeeded, unsigned } from './fake-services.ts'

test('without a signature, /readyz says that jobs may be sent, and nothing else', async () => {
  for (const state of ['idle', 'starting', 'running'] as const) {
    const { status, body } = await createFake({ status: { guardian: { state, restarts: 0 } } }).ask(
      unsigned('/readyz'),
    )
    assert.deepEqual({ status, body }, { status: 200, body: succeeded('ready') })
  }
  const { status, text } = await createFake().ask(unsigned('/readyz', { method: 'HEAD' }))
  assert.deepEqual([status, text], [200, ''])
})

test('/readyz is 200 where the system has no guardian: that never changes', async () => {
  const guardian = { state: 'unsupported', error: 'this system has none', restarts: 0 } as const
  assert.equal((await createFake({ status: { guardian } }).ask(unsigned('/readyz'))).status, 200)
})

const NOT_READY: [reasons: string, status: Partial<AgentStatus>][] = [
  ['stopping', { stopping: true }],
  ['draining', { draining: true }],
  ['store-full', { store: { state: 'full' } }],
  ['audit-failing', { audit: { state: 'failing' } }],
  ['store-gone', { store: { state: 'gone' } }],
  ['guardian-missing', { guardian: { state: 'missing', error: 'no sh in /secret/path', restarts: 0 } }],
  ['draining、store-full', { draining: true, store: { state: 'full' } }],
]

for (const [reasons, given] of NOT_READY) {
  test(`/readyz is 503 and says why: ${reasons}`, async () => {
    const { status, body } = await createFake({ status: given }).ask(unsigned('/readyz'))
    assert.deepEqual({ status, body }, { status: 503, body: failed(503, `未就绪：${reasons}`) })
  })
}

test('/readyz knows no other method', async () => {
  await assertRefused(createFake(), unsigned('/readyz', { method: 'POST' }), 401, '缺少签名')
})
