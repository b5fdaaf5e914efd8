import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEndedChildren } from '../../../../lib/process/linux/ended-children.ts'
import { CLD_STOPPED, CLD_TRAPPED, type Libc } from '../../../../lib/process/linux/libc.ts'

const CLD_EXITED = 1

/** A system whose waitid(2) reports these children, one a call; pid 0 is none. */
const systemWith = (reports: Iterator<{ pid: number; code: number; status?: number }>) => {
  const calls = { waitid: 0, ptrace: [] as number[][] }
  const waitid = (_type: number, _pid: number, info: Buffer): number => {
    calls.waitid++
    const next = reports.next()
    const { pid, code, status = 0 } = next.done ? { pid: 0, code: 0 } : next.value
    info.writeInt32LE(code, 8)
    info.writeInt32LE(pid, 16)
    info.writeInt32LE(status, 24)
    return 0
  }
  const ptrace = (_request: number, pid: number, _address: null, signal: number) =>
    void calls.ptrace.push([pid, signal])
  return { calls, libc: { waitid, ptrace } as unknown as Libc }
}

for (const code of [CLD_STOPPED, CLD_TRAPPED]) {
  test(`children that stop without end (code ${code}) take a bounded part of a turn`, () => {
    const endless = (function* () {
      for (let pid = 1; ; pid++) yield { pid, code }
    })()
    const { calls, libc } = systemWith(endless)
    assert.equal(createEndedChildren(libc).next(), 'busy')
    assert.ok(calls.waitid <= 100, `${calls.waitid} calls`)
  })
}

for (const [signal, delivered] of [
  [10, 10],
  [5, 0],
] as const) {
  test(`one that was traced and stands still at signal ${signal} is let go with ${delivered}, and the next that has ended is told`, () => {
    const stop = { pid: 5, code: CLD_TRAPPED, status: signal }
    const { calls, libc } = systemWith([stop, stop, { pid: 6, code: CLD_EXITED }].values())
    const children = createEndedChildren(libc)
    assert.equal(children.next(), 6)
    assert.deepEqual(calls.ptrace, [[5, delivered]])
    assert.equal(children.next(), undefined)
  })
}
