import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { Libc } from '../../../../lib/process/linux/libc.ts'
import { createStartedChildren } from '../../../../lib/process/linux/started-children.ts'

const ECHILD = -1

/** Children whose wait4(2) reports what `reports` holds, nothing otherwise; and whether the loop is kept alive. */
const childrenWith = (reports: Map<number, { result: number; status: number }>) => {
  const wait4 = (pid: number, status: [number]): number => {
    const report = reports.get(pid)
    status[0] = report?.status ?? 0
    return report?.result ?? 0
  }
  const loop = { references: 0 }
  const keepAlive = { ref: () => loop.references++, unref: () => loop.references-- }
  return { children: createStartedChildren({ wait4 } as unknown as Libc, keepAlive), loop }
}

const isPending = async (promise: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol('pending')
  return (await Promise.race([promise, setImmediate(pending)])) === pending
}

test('a child that was traced and has stopped has not ended', async () => {
  const reports = new Map([[7, { result: 7, status: 0x137f }]])
  const { children } = childrenWith(reports)
  const exit = children.exitOf(7, false)
  assert.equal(children.collect(7), false)
  assert.ok(await isPending(exit))
  assert.ok(children.has(7))
  reports.set(7, { result: 7, status: 3 << 8 })
  assert.equal(children.collect(7), true)
  assert.deepEqual((await exit).status, { exitCode: 3, signal: 0, coreDumped: false })
  assert.ok(!children.has(7))
})

test('how a child ended is not known when somebody else has taken its status', async () => {
  const { children } = childrenWith(new Map([[7, { result: ECHILD, status: 0 }]]))
  const exit = children.exitOf(7, false)
  children.collectAll()
  assert.deepEqual((await exit).status, { exitCode: 255, signal: 0, coreDumped: false })
})

test('the loop is kept alive by jobs, and not by helpers', () => {
  const reports = new Map<number, { result: number; status: number }>()
  const { children, loop } = childrenWith(reports)
  void children.exitOf(1, true)
  assert.deepEqual([children.hasJobSince(0), loop.references, children.helpers()], [false, 0, [1]])
  void children.exitOf(2, false)
  void children.exitOf(3, false)
  assert.deepEqual([children.hasJobSince(0), children.hasJobSince(1e9)], [true, false])
  assert.ok(loop.references > 0)
  for (const pid of [1, 2, 3]) reports.set(pid, { result: pid, status: 0 })
  children.collectAll()
  assert.deepEqual([children.hasJobSince(0), children.helpers()], [false, []])
})
