import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCapabilities } from '../../../../lib/process/linux/capabilities.ts'

const ALL = { CAP_CHOWN: 0, CAP_KILL: 5, CAP_SETGID: 6, CAP_SETUID: 7 }
const NAMES = Object.keys(ALL)

const status = (effective: number[], ambient: number[] = []): string => {
  const hex = (bits: number[]) =>
    bits
      .reduce((sum, bit) => sum + 2n ** BigInt(bit), 0n)
      .toString(16)
      .padStart(16, '0')
  return `Name:\tnode\nCapInh:\t${hex(ambient)}\nCapPrm:\t${hex(effective)}\nCapEff:\t${hex(effective)}\nCapBnd:\t000001ffffffffff\nCapAmb:\t${hex(ambient)}\n`
}

test('each capability that is missing to change users is named', () => {
  assert.deepEqual(readCapabilities(status(Object.values(ALL))).missingForUsers(), [])
  assert.deepEqual(readCapabilities(status([])).missingForUsers(), NAMES)
  assert.deepEqual(readCapabilities('').missingForUsers(), NAMES)
  for (const [name, bit] of Object.entries(ALL)) {
    const others = Object.values(ALL).filter(one => one !== bit)
    assert.deepEqual(readCapabilities(status([...others, 24])).missingForUsers(), [name])
  }
})

test('only what is ambient is inherited, and only what changes users is told', () => {
  assert.deepEqual(readCapabilities(status(Object.values(ALL))).inheritedForUsers(), [])
  assert.deepEqual(readCapabilities(status(Object.values(ALL), [7, 10])).inheritedForUsers(), ['setuid'])
})

test('limits may be raised with CAP_SYS_RESOURCE alone', () => {
  assert.equal(readCapabilities(status([24])).mayRaiseLimits(), true)
  assert.equal(readCapabilities(status([0, 5, 6, 7, 21, 23, 25])).mayRaiseLimits(), false)
})
