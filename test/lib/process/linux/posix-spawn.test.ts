import assert from 'node:assert/strict'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { createExecutables } from '../../../../lib/process/linux/executable.ts'
import { createInheritance } from '../../../../lib/process/linux/inheritance.ts'
import { openLibc } from '../../../../lib/process/linux/libc.ts'
import { createSpawner } from '../../../../lib/process/linux/posix-spawn.ts'
import { openDescriptors } from '../../../support/proc.ts'

const libc = openLibc()
const inheritance = createInheritance(libc)
const newSpawner = () => createSpawner(libc, inheritance.closeRest, createExecutables(libc))

describe('starts that take turns', () => {
  const spawner = newSpawner()
  after(() => {
    spawner.close()
    inheritance.close()
  })

  test('whenever each asks, however long it takes and however it ends: one at a time, in order, none left out', async () => {
    const loopTurns = fc.nat(3)
    const asked = fc.array(fc.record({ pause: loopTurns, length: loopTurns, fails: fc.boolean() }), {
      maxLength: 20,
    })
    await fc.assert(
      fc.asyncProperty(asked, async all => {
        const order: number[] = []
        let running = 0
        const starts: Promise<PromiseSettledResult<number>[]>[] = []
        for (const [index, { pause, length, fails }] of all.entries()) {
          for (let left = pause; left > 0; left--) await setImmediate()
          const start = spawner.inTurn(async () => {
            order.push(index)
            assert.equal(++running, 1)
            for (let left = length; left > 0; left--) await setImmediate()
            running--
            if (fails) throw index
            return index
          })
          starts.push(Promise.allSettled([start]))
        }
        const results = (await Promise.all(starts)).flat()
        assert.deepEqual(
          order,
          all.map((_, index) => index),
        )
        for (const [index, { fails }] of all.entries()) {
          const expected = fails
            ? { status: 'rejected', reason: index }
            : { status: 'fulfilled', value: index }
          assert.deepEqual(results[index], expected)
        }
      }),
    )
  })

  test('a start that throws at once is told to whoever asked, and the next has its turn', async () => {
    const thrown = spawner.inTurn(() => {
      throw new Error('throws')
    })
    const next = spawner.inTurn(async () => 'next')
    await assert.rejects(thrown, new Error('throws'))
    assert.equal(await next, 'next')
  })

  test('one that asks during a start has its turn after all that asked before', async () => {
    const order: string[] = []
    let inner: Promise<unknown> | undefined
    const outer = spawner.inTurn(async () => {
      order.push('outer')
      await setImmediate()
      inner = spawner.inTurn(async () => order.push('inner'))
    })
    await Promise.all([outer, spawner.inTurn(async () => order.push('next'))])
    await inner
    assert.deepEqual(order, ['outer', 'next', 'inner'])
  })
})

test('a start in another directory brings the agent back to its own, also when it fails', async t => {
  const spawner = newSpawner()
  t.after(() => spawner.close())
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'test-newdt-')))
  t.after(() => rmSync(directory, { recursive: true }))
  const home = process.cwd()
  const program = { file: '/no/such/program', args: [], env: {}, cwd: directory }
  const start = spawner.inTurn(spawn =>
    spawn(program, { stdin: 0, stdout: 1, stderr: 2 }, { inherit: () => () => {} }),
  )
  await assert.rejects(start, { message: 'fork/exec /no/such/program: no such file or directory' })
  assert.equal(process.cwd(), home)
})

test('a spawner that is closed has no descriptor open any more', () => {
  const before = openDescriptors()
  const spawner = newSpawner()
  assert.ok(openDescriptors() > before)
  spawner.close()
  assert.equal(openDescriptors(), before)
})
