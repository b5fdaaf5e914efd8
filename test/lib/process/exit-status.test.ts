import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { constants } from 'node:os'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  createExitWords,
  exitText,
  parseSignal,
  parseWaitStatus,
  signalName,
} from '../../../lib/process/exit-status.ts'

/** Go 1.22, src/syscall/zerrors_linux_amd64.go, as failures.md lists it; the first is signal 1. */
const GO_TEXTS = (
  'hangup · interrupt · quit · illegal instruction · trace/breakpoint trap · aborted · bus error · ' +
  'floating point exception · killed · user defined signal 1 · segmentation fault · user defined signal 2 · ' +
  'broken pipe · alarm clock · terminated · stack fault · child exited · continued · stopped (signal) · stopped · ' +
  'stopped (tty input) · stopped (tty output) · urgent I/O condition · CPU time limit exceeded · ' +
  'file size limit exceeded · virtual timer expired · profiling timer expired · window changed · I/O possible · ' +
  'power failure · bad system call'
).split(' · ')

test("each of the 31 ordinary signals has Go's words", () => {
  assert.equal(GO_TEXTS.length, 31)
  for (const [index, text] of GO_TEXTS.entries()) {
    const signal = index + 1
    assert.equal(exitText(parseWaitStatus(signal)), `signal: ${text}`)
    assert.equal(exitText(parseWaitStatus(signal | 0x80)), `signal: ${text} (core dumped)`)
  }
})

test('a real-time signal is known by its number', () => {
  for (let signal = 32; signal <= 64; signal++) {
    assert.equal(exitText(parseWaitStatus(signal)), `signal: signal ${signal}`)
    assert.equal(exitText(parseWaitStatus(signal | 0x80)), `signal: signal ${signal} (core dumped)`)
  }
})

test('an exit code is told as a number, and success is not worth a word', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 255 }), exitCode => {
      const status = parseWaitStatus(exitCode << 8)
      assert.deepEqual(status, { exitCode, signal: 0, coreDumped: false })
      assert.equal(exitText(status), exitCode === 0 ? '' : `exit status ${exitCode}`)
    }),
  )
})

test('a status word of a signal says which one and whether there is a core, and never an exit code', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 64 }), fc.boolean(), (signal, coreDumped) => {
      const raw = signal + (coreDumped ? 128 : 0)
      assert.deepEqual(parseWaitStatus(raw), { exitCode: 0, signal, coreDumped })
    }),
  )
})

test('every signal has the name that bash gives it', () => {
  const list = execFileSync('bash', ['-c', 'for n in {1..31}; do kill -l $n; done'], { encoding: 'utf8' })
  const names = list.trim().split('\n')
  assert.equal(names.length, 31)
  for (const [index, name] of names.entries()) {
    assert.equal(signalName(index + 1), name.startsWith('SIG') ? name : `SIG${name}`)
  }
})

test('real-time signals are counted from the first that glibc leaves to programs', () => {
  assert.deepEqual([34, 35, 64].map(signalName), ['SIGRTMIN', 'SIGRTMIN+1', 'SIGRTMIN+30'])
  assert.deepEqual([32, 33, 65].map(signalName), ['SIG32', 'SIG33', 'SIG65'])
})

test('no signal has no name', () => {
  assert.equal(signalName(0), '')
})

test('a signal is known by its name with SIG and without, as bash writes it', () => {
  const list = execFileSync('bash', ['-c', 'for n in {1..31}; do kill -l $n; done'], { encoding: 'utf8' })
  for (const [index, text] of list.trim().split('\n').entries()) {
    const name = text.replace(/^SIG/, '')
    for (const written of [name, `SIG${name}`]) {
      const parsed = parseSignal(written)
      assert.ok(parsed, written)
      assert.equal(constants.signals[parsed], index + 1, written)
    }
  }
})

test('an alias of a signal is known too', () => {
  assert.equal(parseSignal('IOT'), 'SIGIOT')
  assert.equal(constants.signals.SIGIOT, constants.signals.SIGABRT)
})

test('the name that is told of a signal can be given back', () => {
  for (const number of Object.values(constants.signals)) {
    const parsed = parseSignal(signalName(number))
    assert.ok(parsed)
    assert.equal(constants.signals[parsed], number)
  }
})

test('what is no name of a signal is none: lower case, numbers, blanks, what objects inherit', () => {
  const wrong = [
    '',
    'SIG',
    'NOPE',
    'SIGSIGHUP',
    'HUPSIG',
    'HSIGUP',
    'hup',
    'sighup',
    'SIGhup',
    'Hup',
    ' HUP',
    'HUP ',
    'HUP\n',
    'HUP\0',
  ]
  const numbers = ['0', '1', '9', '-9', '15', '64', 'SIG0', 'SIG9', 'SIG32']
  const inherited = Object.getOwnPropertyNames(Object.prototype)
  for (const text of [...wrong, ...numbers, ...inherited, ...inherited.map(name => `SIG${name}`)]) {
    assert.equal(parseSignal(text), undefined, JSON.stringify(text))
  }
})

test('no text at all gives anything but a signal that the system can send, or undefined', () => {
  const name = fc.constantFrom(
    ...Object.keys(constants.signals),
    ...Object.getOwnPropertyNames(Object.prototype),
  )
  const almost = fc
    .tuple(name, fc.nat(10), fc.constantFrom('', 'S', 'G', ' ', '\0', '9', '_'))
    .map(([text, cut, more]) => text.slice(cut) + more)
  fc.assert(
    fc.property(fc.oneof(name, almost, fc.string({ unit: 'binary' })), text => {
      const parsed = parseSignal(text)
      if (parsed === undefined) return
      assert.ok(parsed === text || parsed === `SIG${text}`)
      assert.ok(constants.signals[parsed] >= 1 && constants.signals[parsed] <= 31)
    }),
    { numRuns: 1000 },
  )
})

test('on a system with other numbers the words follow the names, and no number is taken for a real-time signal', () => {
  const { exitText, signalName, parseSignal } = createExitWords(
    { SIGBUS: 10, SIGUSR1: 30, SIGSTOP: 17 },
    false,
  )
  const ended = (signal: number) => exitText({ exitCode: 0, signal, coreDumped: false })
  assert.deepEqual(
    [ended(10), ended(30), ended(17), ended(34)],
    ['signal: bus error', 'signal: user defined signal 1', 'signal: stopped (signal)', 'signal: signal 34'],
  )
  assert.deepEqual([signalName(30), signalName(34)], ['SIGUSR1', 'SIG34'])
  assert.deepEqual([parseSignal('USR1'), parseSignal('HUP')], ['SIGUSR1', undefined])
})
