import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import {
  allPids,
  parseStat,
  programOf,
  readLiving,
  readSoftLimit,
} from '../../../../lib/process/linux/proc.ts'
import { waitFor } from '../../../support/wait-for.ts'

/** A line as the kernel writes it, proc_pid_stat(5): 52 fields. */
const statLine = (
  command: string,
  state: string,
  parent: number,
  session: number,
  startTime: number,
): string =>
  `4321 (${command}) ${state} ${parent} 77 ${session} ${'8 '.repeat(15)}${startTime} ${'9 '.repeat(29)}0\n`

const number = fc.nat(2 ** 31 - 1)
const command = fc.oneof(
  fc.string({ unit: 'binary-ascii', maxLength: 15 }),
  fc
    .array(fc.constantFrom('(', ')', ' ', 'R', '1', '\n', ') R 1 ('), { maxLength: 8 })
    .map(parts => parts.join('')),
)

/** What the sample line says where a test gives nothing. */
const REST = { userTicks: 8, systemTicks: 8, residentPages: 9, threads: 8 }

test('the fields are found whatever the command is called', () => {
  const state = fc.constantFrom(...'RSDTtZXI')
  fc.assert(
    fc.property(command, state, number, number, number, (name, letter, parent, session, startTime) => {
      const expected = { command: name, state: letter, parent, session, startTime, ...REST }
      assert.deepEqual(parseStat(statLine(name, letter, parent, session, startTime)), expected)
    }),
    { numRuns: 500 },
  )
})

test('a process named "a) R 1 (b" does not pass for another', () => {
  const stat = parseStat(statLine('a) R 1 (b', 'S', 42, 43, 44))
  assert.deepEqual(stat, {
    command: 'a) R 1 (b',
    state: 'S',
    parent: 42,
    session: 43,
    startTime: 44,
    ...REST,
  })
})

test('a line that was cut off before the start time is no status', () => {
  const line = statLine('bash', 'S', 1, 2, 3)
  const startTime = line.indexOf(' 3 9 ')
  for (let length = 0; length <= startTime; length++)
    assert.equal(parseStat(line.slice(0, length)), undefined)
})

test('text that is no line of stat is no status', () => {
  for (const text of ['', 'hello', ')(', `) ${'1 '.repeat(30)}(`])
    assert.equal(parseStat(text), undefined, text)
})

test("a living process's own line is read", () => {
  const fields = readFileSync('/proc/self/stat', 'latin1').split(' ')
  const stat = readLiving(process.pid)
  assert.equal(stat?.parent, process.ppid)
  assert.equal(stat?.startTime, Number(fields[21]))
  assert.equal(`(${stat?.command})`, fields[1])
})

const startBash = async (t: TestContext, script: string) => {
  const child = spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(() => child.kill('SIGKILL'))
  const [said] = await once(child.stdout, 'data')
  return { child, said: Number(said) }
}

test('a process that has ended is not living, whether or not it was reaped', async t => {
  // The shell that would reap it has become a program that does not.
  const { child, said: zombie } = await startBash(t, 'true & echo $!; exec sleep 1000')
  // The bash that is to become it may still be about to reap what it has started.
  const isZombie = (): boolean => {
    try {
      return readFileSync(`/proc/${zombie}/stat`, 'latin1').includes(') Z ')
    } catch {
      return true
    }
  }
  await waitFor('a zombie', isZombie)
  assert.equal(readLiving(zombie), undefined)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(readLiving(child.pid!), undefined)
})

test('a soft limit is read by its label; one that is not set is none', async t => {
  const { child } = await startBash(t, 'ulimit -Sx 12345; echo 1; exec sleep 1000')
  assert.equal(readSoftLimit(child.pid!, 'Max file locks'), 12345)
  const { child: free } = await startBash(t, 'ulimit -Sx hard; echo 1; exec sleep 1000')
  const limits = readFileSync(`/proc/${free.pid}/limits`, 'latin1')
  const isUnlimited = /Max file locks +unlimited/.test(limits)
  assert.equal(readSoftLimit(free.pid!, 'Max file locks') === undefined, isUnlimited)
})

test('a limit with another label, or of a process that is gone, is none', () => {
  assert.equal(readSoftLimit(process.pid, 'Max bogus'), undefined)
  assert.equal(readSoftLimit(2 ** 30, 'Max file locks'), undefined)
})

test('all processes are listed, and the program of each is known by its name', async t => {
  const { child } = await startBash(t, 'echo 1; exec sleep 1000')
  await waitFor('sleep', () => programOf(child.pid!) !== 'bash')
  assert.match(programOf(child.pid!)!, /^(sleep|coreutils|busybox)$/)
  assert.ok(allPids().includes(child.pid!) && allPids().includes(process.pid))
  assert.equal(programOf(2 ** 30), undefined)
})
