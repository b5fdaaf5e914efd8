import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertBadRequest, createFake, failed, ID, signed } from '../fake-services.ts'

test('an unknown parameter is refused with the known one that is nearest', async () => {
  await assertBadRequest(signed(`/api/jobs/${ID}?waitt=30s`), '未知参数 waitt（是否为 wait？）')
  await assertBadRequest(signed(`/api/jobs/${ID}/stdout?folow=true`), '未知参数 folow（是否为 follow？）')
  await assertBadRequest(signed('/api/jobs?limitt=3'), '未知参数 limitt（是否为 limit？）')
  await assertBadRequest(signed('/api/jobs?pageSize=3'), '未知参数 pageSize')
})

test('at most ten unknown parameters are named, each once, and long ones shortened', async () => {
  const many = Array.from({ length: 500 }, (_, index) => `zzzzz${index}=1&zzzzz${index}=2`).join('&')
  const expected = Array.from({ length: 10 }, (_, index) => `未知参数 zzzzz${index}`).join('；')
  await assertBadRequest(signed(`/api/jobs?${many}`), expected)
  await assertBadRequest(signed(`/api/jobs?${'q'.repeat(5000)}=1`), `未知参数 ${'q'.repeat(64)}…`)
})

test('who may not use an endpoint is not told of its parameters', async () => {
  const { status, body } = await createFake({ rights: [] }).ask(signed('/api/jobs?qqqqqq=1'))
  assert.deepEqual({ status, body }, { status: 403, body: failed(403, '没有权限，需要 read 权限') })
})
