import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OPEN_ROUTES, ROUTES } from '../../../handlers/routes.ts'
import { rightFor } from '../../../lib/fleet/fetch-by-nats.ts'

const ID = '603883de4a9545b3ab1fe80c40c9de90'

const methodsOf = (method: 'get' | 'post') => (method === 'get' ? ['GET', 'HEAD'] : ['POST'])

/** What the program sends each request as, and what the endpoint takes it from: told twice, and here compared. */
test('each endpoint is asked over the fleet with a right that it takes', () => {
  assert.ok(ROUTES.length > 0)
  for (const { method, path, rights } of ROUTES)
    for (const one of methodsOf(method))
      for (const controlAs of ['run', 'admin'] as const) {
        const right = rightFor(one, path.replace(':id', ID), controlAs)
        assert.ok(rights.includes(right), `${one} ${path} is sent as ${right}, and takes ${rights}`)
      }
})

test('where an endpoint takes several rights, the program that asks chooses the one', () => {
  for (const { method, path, rights } of ROUTES)
    for (const one of methodsOf(method)) {
      const chosen = (['run', 'admin'] as const).map(as => rightFor(one, path.replace(':id', ID), as))
      assert.deepEqual(new Set(chosen), new Set(rights), `${one} ${path}`)
    }
})

test('what anybody may ask is sent as the least right', () => {
  for (const { method, path } of OPEN_ROUTES)
    for (const one of methodsOf(method))
      for (const controlAs of ['run', 'admin'] as const)
        assert.equal(rightFor(one, path, controlAs), 'read', path)
})
