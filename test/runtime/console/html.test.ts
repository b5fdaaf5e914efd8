import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VNode } from 'preact'
import { html } from '../../../runtime/console/html.ts'

test('markup may be one element or several, and its type says so', () => {
  // @ts-expect-error It may be an array.
  const one: VNode = html`<p>one</p>`
  assert.equal(one.type, 'p')
  assert.ok(Array.isArray(html`<p>one</p><p>two</p>`))
})
