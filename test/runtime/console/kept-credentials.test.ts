import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  forgetCredentials,
  keepCredentials,
  readCredentials,
} from '../../../runtime/console/kept-credentials.ts'

const PLACE = 'newdt-credentials /agents/db1/'

/** A tab of the agent below a path; `storage` is what the browser has for it. */
const openTab = (t: TestContext, storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>): void => {
  const had = { sessionStorage: globalThis.sessionStorage, location: globalThis.location }
  Object.assign(globalThis, {
    location: new URL('http://localhost:8080/agents/db1/#/jobs'),
    sessionStorage: storage,
  })
  t.after(() => Object.assign(globalThis, had))
}

const storageOf = (entries: Map<string, string>) => ({
  getItem: (name: string) => entries.get(name) ?? null,
  setItem: (name: string, value: string) => void entries.set(name, value),
  removeItem: (name: string) => void entries.delete(name),
})

test('what is kept is for the agent below this path alone, until it is forgotten', t => {
  const entries = new Map([['newdt-credentials /agents/db2/', '{"credentials":{"token":"of-db2"}}']])
  openTab(t, storageOf(entries))
  assert.equal(readCredentials(), undefined)
  keepCredentials({ credentials: { token: 'of-db1' } })
  assert.deepEqual(readCredentials(), { credentials: { token: 'of-db1' } })
  forgetCredentials()
  assert.deepEqual([...entries.keys()], ['newdt-credentials /agents/db2/'])
})

test('a browser that refuses to keep or to tell anything hinders nobody', t => {
  const refuse = () => {
    throw new DOMException('full', 'QuotaExceededError')
  }
  openTab(t, { getItem: refuse, setItem: refuse, removeItem: refuse })
  keepCredentials({ credentials: { token: 'a' } })
  assert.equal(readCredentials(), undefined)
  forgetCredentials()
})

for (const kept of [
  '{bad',
  '"text"',
  'null',
  '{"credentials":{}}',
  '{"credentials":{"token":"中文"}}',
  '{"credentials":{"token":"a b"}}',
]) {
  test(`what this version has not kept is removed: ${kept}`, t => {
    const entries = new Map([[PLACE, kept]])
    openTab(t, storageOf(entries))
    assert.equal(readCredentials(), undefined)
    assert.equal(entries.size, 0)
  })
}
