import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ROUTES } from '../../handlers/routes.ts'
import { RIGHTS, type Right } from '../../lib/security/caller.ts'
import { assertBadRequest, assertRefused, createFake, ID, post, signed, unsigned } from './fake-services.ts'

const EXPECTED: [method: string, path: string, rights: Right[]][] = [
  ['post', '/api/jobs/execute/cmd', ['run']],
  ['post', '/api/jobs/execute/script', ['run']],
  ['get', '/api/jobs/countOfRunningJobs', ['read']],
  ['get', '/api/jobs', ['read']],
  ['get', '/api/jobs/:id', ['read']],
  ['get', '/api/jobs/:id/stdout', ['read']],
  ['get', '/api/jobs/:id/stderr', ['read']],
  ['get', '/api/jobs/:id/output', ['read']],
  ['get', '/api/jobs/:id/events', ['read']],
  ['get', '/api/jobs/:id/processes', ['read']],
  ['post', '/api/jobs/:id/cancel', ['run', 'admin']],
  ['post', '/api/jobs/:id/signal', ['run', 'admin']],
  ['post', '/api/agent/drain', ['admin']],
  ['get', '/api/events', ['read']],
  ['get', '/api/agent', ['read']],
  ['get', '/api/agent/history', ['read']],
  ['get', '/metrics', ['read']],
  ['get', '/openapi.json', ['read']],
]

test('every endpoint needs the right that it should', () => {
  assert.deepEqual(
    ROUTES.map(({ method, path, rights }) => [method, path, rights]),
    EXPECTED,
  )
})

for (const { method, path, rights } of ROUTES) {
  const target = path.replace(':id', ID)
  const request = () => (method === 'post' ? post(target, {}) : signed(target))

  test(`${method} ${path} is 401 without a signature`, async () => {
    const headers = { 'Content-Type': 'application/json' }
    const init = method === 'post' ? { method: 'POST', headers, body: '{}' } : {}
    await assertRefused(createFake(), unsigned(target, init), 401, '缺少签名')
  })

  test(`${method} ${path} is 403 for a caller without the right to ${rights.join(' or ')}`, async () => {
    const others = RIGHTS.filter(other => !rights.includes(other))
    for (const lacking of [[], others]) {
      const fake = createFake({ rights: lacking })
      await assertRefused(fake, request(), 403, `没有权限，需要 ${rights.join(' 或 ')} 权限`)
    }
  })

  for (const right of rights) {
    test(`${method} ${path} lets a caller with only the right to ${right} in`, async () => {
      const fake = createFake({ rights: [right] })
      const { status } = await fake.ask(request())
      assert.ok(status !== 401 && status !== 403, String(status))
      assert.deepEqual(fake.reported, [])
    })
  }

  test(`${method} ${path} refuses an unknown parameter by its name, and passes over the signature`, async () => {
    const fake = createFake()
    const withQuery = (query: string) => new Request(`${request().url}?${query}`, request())
    await assertBadRequest(withQuery('qqqqqq=1&__proto__=2'), '未知参数 qqqqqq；未知参数 __proto__', fake)
    const { status } = await fake.ask(withQuery(`sign=${request().headers.get('sign')}`))
    assert.equal(status, (await createFake().ask(request())).status)
  })
}
