import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effect } from '@preact/signals'
import type { VNode } from 'preact'
import { shortMoment } from '../../../runtime/console/jobs/short-time.ts'
import { moment } from '../../../runtime/console/moment.ts'
import { dayOf, today } from '../../../runtime/console/time.ts'

/** The texts of a time, as it is drawn anew. */
const drawn = (draw: (time: string) => unknown, time: string): string[] => {
  const texts: string[] = []
  const stop = effect(() => {
    texts.push(String((draw(time) as VNode<{ children: string }>).props.children))
  })
  today.value = dayOf(new Date(2026, 0, 1).getTime())
  stop()
  return texts
}
const startOf = (year: number, month: number, day: number) => dayOf(new Date(year, month - 1, day).getTime())
const NOON = new Date(2025, 11, 31, 12, 34, 56).toISOString()

test('a time of today is the time of day, and has its date from the next day on', () => {
  for (const draw of [shortMoment, moment]) {
    today.value = startOf(2025, 12, 31)
    const texts = drawn(draw, NOON)
    assert.equal(texts.length, 2)
    assert.equal(texts[0], '12:34:56')
    assert.match(texts[1]!, /2025/)
    assert.match(texts[1]!, /31/)
  }
})

test('a row leaves out the year while it is the same, and the time of day when it is not', () => {
  today.value = startOf(2025, 12, 30)
  const [sameYear, nextYear] = drawn(shortMoment, NOON)
  assert.match(sameYear!, /31\D.*12:34$/)
  assert.doesNotMatch(sameYear!, /2025/)
  assert.doesNotMatch(nextYear!, /12:34/)
})

test('a time that never was is a dash', () => {
  for (const draw of [shortMoment, moment]) assert.equal(draw('0001-01-01T00:00:00Z'), '—')
})
