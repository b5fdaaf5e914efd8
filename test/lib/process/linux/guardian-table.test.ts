import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { closeSync, readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { createGuardianTable } from '../../../../lib/process/linux/guardian-table.ts'
import { openLibc } from '../../../../lib/process/linux/libc.ts'

const libc = openLibc()
const MARK = 2 ** 51
const PAGE_BYTES = 4096

const createTable = (t: TestContext) => {
  const table = createGuardianTable(libc)
  t.after(() => closeSync(table.fd))
  return table
}

interface Line {
  at: number
  /** With its newline. */
  size: number
  text: string
}

/** What stands in the table; each line is checked to be whole, a power of two long, and at a multiple of that. */
const readLines = (fd: number): Line[] => {
  const bytes = readFileSync(`/proc/self/fd/${fd}`)
  const lines: Line[] = []
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf('\n', at)
    assert.ok(newline > 0, `no newline after ${at}`)
    const size = newline + 1 - at
    assert.ok(Number.isInteger(Math.log2(size)), `${size} is no power of two`)
    assert.equal(at % size, 0, `${size} bytes at ${at}`)
    const text = bytes.toString('utf8', at, newline)
    assert.ok(!text.includes('\0'), `a hole after ${at}`)
    lines.push({ at, size, text })
    at += size
  }
  return lines
}

const running = (fd: number): string[] =>
  readLines(fd)
    .map(({ text }) => text)
    .filter(text => text.startsWith('+ '))

/** The line as the guardian's `read` splits it: at blanks, of which there may be several, the rest as it is. */
const fieldsOf = (text: string): [mark: number, pid: number, script: string] => {
  const [, mark, pid, script] = /^\+ (\d{16}) +(\d+) (.*?) *$/.exec(text)!
  return [Number(mark), Number(pid), script!]
}

/** A path of so many bytes. */
const pathOf = (bytes: number, unit = 'x'): string => {
  const repeated = unit.repeat(Math.floor((bytes - 1) / Buffer.byteLength(unit)))
  return `/${repeated}`.padEnd(bytes - Buffer.byteLength(repeated) + repeated.length, 'x')
}

test('a job has a line with its mark, the pid of its leader or 0, and its script, padded with blanks', t => {
  const table = createTable(t)
  assert.deepEqual(readLines(table.fd), [])
  const first = table.add(MARK, '')
  const second = table.add(MARK + 1, '/tmp/a b.sh')
  assert.deepEqual(readLines(table.fd), [
    { ...first, text: `+ ${MARK}          0 `.padEnd(63) },
    { ...second, text: `+ ${MARK + 1}          0 /tmp/a b.sh`.padEnd(63) },
  ])

  table.setLeader(second, 4_194_304)
  assert.deepEqual(running(table.fd).map(fieldsOf), [
    [MARK, 0, ''],
    [MARK + 1, 4_194_304, '/tmp/a b.sh'],
  ])
  table.setLeader(first, 1)
  table.remove(second)
  assert.deepEqual(
    readLines(table.fd).map(({ text }) => text),
    [`+ ${MARK}          1 `.padEnd(63), `- ${MARK + 1}    4194304 /tmp/a b.sh`.padEnd(63)],
  )
})

test('the place of a job that was removed is used again by one of its size, and by no larger one', t => {
  const table = createTable(t)
  const short = [table.add(MARK, '/a'), table.add(MARK + 1, '/b')]
  const long = table.add(MARK + 2, pathOf(97))
  table.remove(short[0]!)
  table.remove(long)
  const size = readFileSync(`/proc/self/fd/${table.fd}`).length
  assert.deepEqual(table.add(MARK + 3, pathOf(90)), long)
  assert.deepEqual(table.add(MARK + 4, '/c'), short[0])
  assert.equal(readFileSync(`/proc/self/fd/${table.fd}`).length, size)
  assert.deepEqual(running(table.fd).map(fieldsOf), [
    [MARK + 4, 0, '/c'],
    [MARK + 1, 0, '/b'],
    [MARK + 3, 0, pathOf(90)],
  ])

  table.remove(short[1]!)
  assert.equal(table.add(MARK + 5, pathOf(90)).at, size)
})

test('nothing of a longer line that stood there before is left, the pid of its leader least of all', t => {
  const table = createTable(t)
  const place = table.add(MARK, '/a/longer/path')
  table.setLeader(place, 1_234_567_890)
  table.remove(place)
  assert.deepEqual(table.add(MARK + 1, '/b'), place)
  assert.deepEqual(running(table.fd).map(fieldsOf), [[MARK + 1, 0, '/b']])
})

test('what lies between two long lines is for short ones', t => {
  const table = createTable(t)
  table.add(MARK, '')
  const long = table.add(MARK + 1, pathOf(1000))
  const size = readFileSync(`/proc/self/fd/${table.fd}`).length
  const between = Array.from({ length: 3 }, (_, index) => table.add(MARK + 2 + index, pathOf(30 << index)))
  for (const { at } of between) assert.ok(at < long.at)
  assert.equal(readFileSync(`/proc/self/fd/${table.fd}`).length, size)
})

test('a path of any length stands there whole, in ASCII and in Chinese, and its line crosses no page', t => {
  const table = createTable(t)
  const paths = ['x', '脚', '𠮷', 'a b'].flatMap(unit =>
    [2, 10, 33, 34, 35, 64, 97, 98, 99, 100, 255, 1000, 2017, 3000].map(bytes => pathOf(bytes, unit)),
  )
  for (const [index, path] of paths.entries()) table.add(MARK + index, path)
  const lines = readLines(table.fd).filter(({ text }) => text.startsWith('+'))
  const found = lines.map(({ text }) => fieldsOf(text)).sort(([one], [other]) => one - other)
  assert.deepEqual(
    found,
    paths.map((path, index) => [MARK + index, 0, path]),
  )
  for (const { at, size } of lines) {
    assert.equal(Math.floor(at / PAGE_BYTES), Math.floor((at + size - 1) / PAGE_BYTES))
  }
})

test('a script whose path has a newline is left out, and its job is not', t => {
  const table = createTable(t)
  const place = table.add(MARK, `/tmp/a\n+ ${MARK + 1} 1 /etc/passwd`)
  table.setLeader(place, 42)
  assert.deepEqual(readLines(table.fd), [{ ...place, text: `+ ${MARK}         42 `.padEnd(63) }])
})

/** What a shell that inherits the table as its descriptor 3 reads of it, in the words of guardian.sh. */
const readBySh = (fd: number): string[] => {
  const program = `while read -r state mark pid script; do
    [ "$state" = + ] || continue
    printf '%s|%s|%s\\0' "$mark" "$pid" "$script"
  done <&3`
  const { stdout, status } = spawnSync('sh', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit', fd] })
  assert.equal(status, 0)
  return stdout.toString().split('\0').slice(0, -1)
}

test('a shell reads exactly the running jobs, from the start, after jobs came and went', t => {
  const table = createTable(t)
  const scripts = [
    '',
    '/tmp/x.sh',
    '/tmp/a  b.sh',
    '/tmp/\\n\\.sh',
    `/tmp/$(id) 'q" *.sh`,
    pathOf(3000, '脚本'),
  ]
  const places = [...scripts, ...scripts].map((script, index) => table.add(MARK + index, script))
  for (const place of places.slice(0, scripts.length)) table.remove(place)
  const again = table.add(MARK + 100, '/tmp/again.sh')
  table.setLeader(again, 7)
  for (const [index, place] of places.entries()) {
    if (index >= scripts.length) table.setLeader(place, 1000 + index)
  }
  const expected = scripts.map((script, index) => {
    const nth = scripts.length + index
    return `${MARK + nth}|${1000 + nth}|${script}`
  })
  assert.deepEqual(readBySh(table.fd).sort(), [...expected, `${MARK + 100}|7|/tmp/again.sh`].sort())
})

test('whatever comes and goes, the lines with a + are the running jobs and no others', () => {
  const script = fc.oneof(
    fc.constant(''),
    fc
      .tuple(fc.integer({ min: 1, max: 3000 }), fc.constantFrom('x', 'é', '脚', '𠮷', ' a'))
      .map(([bytes, unit]) => pathOf(bytes, unit)),
    fc.stringMatching(/^\/[ -~]{0,80}[!-~]$/),
    fc.stringMatching(/^\/[a-z]{0,10}\n[a-z]{0,60}$/),
  )
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ what: fc.constant('add' as const), script }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('remove' as const), which: fc.nat() }) },
    fc.record({
      what: fc.constant('setLeader' as const),
      which: fc.nat(),
      pid: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const table = createGuardianTable(libc)
      try {
        const jobs: { place: { at: number; size: number }; mark: number; pid: number; script: string }[] = []
        for (const [index, one] of steps.entries()) {
          if (one.what === 'add') {
            const mark = MARK + index
            const place = table.add(mark, one.script)
            jobs.push({ place, mark, pid: 0, script: one.script.includes('\n') ? '' : one.script })
            continue
          }
          if (jobs.length === 0) continue
          const nth = one.which % jobs.length
          if (one.what === 'remove') table.remove(jobs.splice(nth, 1)[0]!.place)
          else {
            jobs[nth]!.pid = one.pid
            table.setLeader(jobs[nth]!.place, one.pid)
          }
        }
        const lines = readLines(table.fd)
        const found = lines.filter(({ text }) => text.startsWith('+')).sort((a, b) => a.at - b.at)
        const expected = jobs.toSorted((a, b) => a.place.at - b.place.at)
        assert.deepEqual(
          found.map(({ at, size, text }) => [at, size, ...fieldsOf(text)]),
          expected.map(({ place, mark, pid, script }) => [place.at, place.size, mark, pid, script]),
        )
        for (const { text } of lines) assert.match(text, /^[+-] /)
      } finally {
        closeSync(table.fd)
      }
    }),
    { numRuns: 200 },
  )
})
