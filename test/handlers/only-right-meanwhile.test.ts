import assert from 'node:assert/strict'
import { test } from 'node:test'
import { querySchema, readOutput } from '../../handlers/output/read-output.ts'
import type { Route } from '../../handlers/route.ts'
import { ROUTES } from '../../handlers/routes.ts'
import type { Right } from '../../lib/security/caller.ts'
import { withDeadline } from './deadline.ts'
import { createFakeOutput } from './fake-output.ts'
import {
  ADDRESS,
  AUTHORITY,
  authenticatorAt,
  createFake,
  ID,
  NOW,
  REQUEST_ID,
  signed,
} from './fake-services.ts'

/** What is read without end, by a key whose rights may change meanwhile. */
const readWith = async (path: string, onlyRight: Right, rights: Right[]) => {
  const output = createFakeOutput()
  const known = authenticatorAt(NOW)
  const authenticator: typeof known = {
    ...known,
    authenticate(...args) {
      const found = known.authenticate(...args)
      const callerNow = () => ({ ...found.caller, rights: new Set(rights) })
      return { ...found, caller: callerNow(), callerNow }
    },
  }
  const { app } = createFake({ authenticator, jobs: { open: output.open } })
  const request = signed(path)
  const response = await app(request, {
    requestId: REQUEST_ID,
    address: ADDRESS,
    isPrivate: true,
    isEncrypted: false,
    authority: AUTHORITY,
    target: new URL(request.url).pathname,
    note() {},
    onlyRight,
  })
  assert.equal(response.status, 200)
  const reader = response.body!.getReader()
  return {
    output,
    next: () => withDeadline(reader.read(), 'the next piece'),
    change: (...now: Right[]) => void rights.splice(0, rights.length, ...now),
  }
}

test('what is read by one right goes on while its key has that, and ends when it has others in its place', async () => {
  const { output, next, change } = await readWith(`/api/jobs/${ID}/output?follow=true`, 'read', [
    'read',
    'admin',
  ])
  output.append('stdout', 'a\n')
  assert.equal((await next()).done, false)
  change('read')
  output.append('stdout', 'b\n')
  assert.equal((await next()).done, false)
  change('run', 'admin')
  output.append('stdout', 'c\n')
  await assert.rejects(next(), /may not read this any more/)
})

// No endpoint of today is both read without end and open to several rights: here is one more, of this process alone.
const ODD: Route = {
  method: 'get',
  path: '/api/odd/:id',
  rights: ['read', 'admin'],
  handler: readOutput('stdout'),
  query: querySchema,
  operation: 'readOutput',
}
;(ROUTES as Route[]).push(ODD)

test('where several rights would do, a request that may use one of them ends when the key loses that one', async () => {
  const { output, next, change } = await readWith(`/api/odd/${ID}?follow=true`, 'read', ['read', 'admin'])
  output.append('stdout', 'a\n')
  assert.equal((await next()).done, false)
  change('admin')
  output.append('stdout', 'b\n')
  await assert.rejects(next(), /may not read this any more/)
})
