import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, readdirSync, readlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { setImmediate, setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { F_SETFL, O_CLOEXEC, O_NONBLOCK, openLibc } from '../../../../lib/process/linux/libc.ts'
import { createOutputPipes } from '../../../../lib/process/linux/output-pipe.ts'
import { waitFor } from '../../../support/wait-for.ts'

const libc = openLibc()
const readPipe = createOutputPipes(libc)

const F_SETPIPE_SZ = 1031
const PIPE_BYTES = 65_536

const openWriters = new Set<number>()
after(() => openWriters.forEach(closeSync))

/** A real pipe, whose writing end the test holds. */
const openPipe = () => {
  const ends: [number, number] = [-1, -1]
  assert.equal(libc.pipe2(ends, O_CLOEXEC), 0)
  const [read, write] = ends
  openWriters.add(write)
  const inode = readlinkSync(`/proc/self/fd/${read}`)
  return {
    read,
    write,
    send: (bytes: Uint8Array | string): number => writeSync(write, Buffer.from(bytes)),
    close(): void {
      openWriters.delete(write)
      closeSync(write)
    },
    /** How many descriptors of this process refer to it. */
    descriptors: (): number => readdirSync('/proc/self/fd').filter(fd => linkOf(fd) === inode).length,
  }
}

const linkOf = (fd: string): string | undefined => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return undefined // The one that listed the directory.
  }
}

/** Reads a pipe, and keeps what came. */
const collect = (fd: number) => {
  const chunks: Buffer[] = []
  let bytes = 0
  let isClosed = false
  const output = readPipe(fd, chunk => {
    chunks.push(Buffer.from(chunk))
    bytes += chunk.length
  })
  void output.closed.then(() => {
    isClosed = true
  })
  return {
    ...output,
    bytes: () => bytes,
    all: () => Buffer.concat(chunks),
    text: () => Buffer.concat(chunks).toString(),
    isClosed: () => isClosed,
  }
}

const whenClosed = ({ isClosed }: { isClosed(): boolean }) => waitFor('end of file', isClosed)

/** So many bytes, each part of which differs from the others. */
const numbered = (bytes: number): Buffer => {
  const words = new Uint32Array(Math.ceil(bytes / 4)).map((_, index) => index)
  return Buffer.from(words.buffer, 0, bytes)
}

test('what is written before, between and after the first looks, and after a drain, arrives in order', async () => {
  const pipe = openPipe()
  pipe.send('before ')
  const output = collect(pipe.read)
  pipe.send('at once ')
  await waitFor('the first look', () => output.text() === 'before at once ')
  pipe.send('later ')
  await waitFor('what came later', () => output.text() === 'before at once later ')
  pipe.send('ended ')
  output.drain()
  pipe.send('after ')
  await waitFor('what came after the drain', () => output.text() === 'before at once later ended after ')
  assert.equal(output.isClosed(), false)
  pipe.close()
  await whenClosed(output)
  assert.equal(output.text(), 'before at once later ended after ')
  assert.equal(pipe.descriptors(), 0)
})

test('a drain takes at once what is there, and the end with it', async () => {
  const pipe = openPipe()
  pipe.send('all')
  const output = collect(pipe.read)
  pipe.close()
  output.drain()
  assert.equal(output.text(), 'all')
  assert.equal(pipe.descriptors(), 0)
  await whenClosed(output)
  output.drain()
})

test('end of file is seen without a drain, whether or not anything was written', async () => {
  for (const text of ['', 'x']) {
    const pipe = openPipe()
    const output = collect(pipe.read)
    if (text) pipe.send(text)
    pipe.close()
    await whenClosed(output)
    assert.equal(output.text(), text)
    assert.equal(pipe.descriptors(), 0)
    output.drain()
  }
})

test('a writer that keeps its end open after the drain goes on being read', async () => {
  const pipe = openPipe()
  const output = collect(pipe.read)
  output.drain()
  const lines = Array.from({ length: 100 }, (_, index) => `${index}\n`)
  for (const [index, line] of lines.entries()) {
    pipe.send(line)
    if (index % 10 === 0) await waitFor(line, () => output.text().endsWith(line))
  }
  output.drain()
  await waitFor('all of it', () => output.text() === lines.join(''))
  assert.equal(output.isClosed(), false)
  pipe.close()
  await whenClosed(output)
  assert.equal(pipe.descriptors(), 0)
})

test('more than one drain may take arrives whole', async () => {
  const pipe = openPipe()
  // Where the system allows it, more than the sixteen reads of a drain.
  for (const size of [64 * PIPE_BYTES, 16 * PIPE_BYTES]) {
    if (libc.fcntl(pipe.write, F_SETPIPE_SZ, 'int', size) === size) break
  }
  libc.fcntl(pipe.write, F_SETFL, 'int', O_NONBLOCK)
  const data = numbered(64 * PIPE_BYTES)
  let sent = 0
  const fill = (): void => {
    try {
      while (sent < data.length) sent += writeSync(pipe.write, data, sent, PIPE_BYTES)
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'EAGAIN')
    }
  }
  fill()
  const inPipe = sent
  const output = collect(pipe.read)
  output.drain()
  assert.equal(output.bytes(), Math.min(inPipe, 16 * PIPE_BYTES))
  await waitFor('all is written', () => {
    fill()
    return sent === data.length
  })
  pipe.close()
  await whenClosed(output)
  assert.ok(output.all().equals(data))
  assert.equal(pipe.descriptors(), 0)
})

test('a process that writes without end does not keep the others waiting, and is read to its last byte', async t => {
  const flood = openPipe()
  const child = spawn('head', ['-c', '100000000', '/dev/zero'], { stdio: ['ignore', flood.write, 'ignore'] })
  t.after(() => child.kill('SIGKILL'))
  flood.close()
  let bytes = 0
  const { closed } = readPipe(flood.read, chunk => {
    bytes += chunk.length
  })
  const quiet = openPipe()
  const output = collect(quiet.read)
  quiet.send('quiet')
  quiet.close()
  await whenClosed(output)
  assert.equal(output.text(), 'quiet')
  await closed
  assert.equal(bytes, 100_000_000)
})

test('many pipes at once share a buffer, and none sees the bytes of another', async () => {
  const pipes = Array.from({ length: 40 }, (_, index) => {
    const pipe = openPipe()
    return { pipe, output: collect(pipe.read), byte: index, drains: index % 3 === 0 }
  })
  for (let round = 0; round < 5; round++) {
    for (const { pipe, byte } of pipes) pipe.send(Buffer.alloc(1000 + byte, byte))
    if (round === 2) for (const { output, drains } of pipes) if (drains) output.drain()
    await setImmediate()
  }
  for (const { pipe } of pipes) pipe.close()
  for (const { pipe, output, byte } of pipes) {
    await whenClosed(output)
    assert.ok(output.all().equals(Buffer.alloc(5 * (1000 + byte), byte)), `pipe ${byte}`)
    assert.equal(pipe.descriptors(), 0)
  }
})

test('whatever is written when, and whenever it is drained, arrives whole and in order', async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ what: fc.constant('write' as const), bytes: fc.nat(6000) }) },
    { weight: 2, arbitrary: fc.record({ what: fc.constant('pause' as const), ms: fc.nat(20) }) },
    fc.constant({ what: 'turn' as const }),
    fc.constant({ what: 'drain' as const }),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 8 }),
      fc.array(step, { maxLength: 3 }),
      async (steps, earlier) => {
        const pipe = openPipe()
        // All together fits into the pipe, for the write is synchronous.
        const data = numbered(8 * 6000)
        let sent = 0
        const write = (bytes: number): void => {
          if (sent + bytes > data.length) return
          pipe.send(data.subarray(sent, sent + bytes))
          sent += bytes
        }
        for (const one of earlier) if (one.what === 'write') write(one.bytes)
        const output = collect(pipe.read)
        for (const one of steps) {
          if (one.what === 'write') write(one.bytes)
          else if (one.what === 'pause') await setTimeout(one.ms)
          else if (one.what === 'turn') await setImmediate()
          else output.drain()
        }
        pipe.close()
        await whenClosed(output)
        assert.ok(output.all().equals(data.subarray(0, sent)))
        assert.equal(pipe.descriptors(), 0)
      },
    ),
    { numRuns: 60 },
  )
})

const ownUrl = (path: string): string => JSON.stringify(join(import.meta.dirname, '../../../..', path))

/** Runs a program of ours to its own end; resolves with what it printed. */
const runProgram = async (t: TestContext, program: string): Promise<string> => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  let text = ''
  child.stdout.on('data', chunk => {
    text += chunk
  })
  let ended: unknown[] | undefined
  void once(child, 'close').then(result => {
    ended = result
  })
  await waitFor(`the program ends by itself, having printed ${text}`, () => ended)
  assert.deepEqual(ended, [0, null])
  return text
}

test('nobody looks any more when all pipes are closed, or left to the loop: the process ends by itself', async t => {
  const program = `
    import { closeSync, writeSync } from 'node:fs'
    import { setImmediate } from 'node:timers/promises'
    import { O_CLOEXEC, openLibc } from ${ownUrl('lib/process/linux/libc.ts')}
    import { createOutputPipes } from ${ownUrl('lib/process/linux/output-pipe.ts')}
    const libc = openLibc()
    const readPipe = createOutputPipes(libc)
    const open = () => {
      const ends = [-1, -1]
      libc.pipe2(ends, O_CLOEXEC)
      return { output: readPipe(ends[0], bytes => console.log(String(bytes))), write: ends[1] }
    }
    const isLooking = () => process.getActiveResourcesInfo().includes('Timeout')

    const silent = open()
    if (!isLooking()) throw new Error('nobody looks')
    while (isLooking()) await setImmediate()
    writeSync(silent.write, 'silent')
    closeSync(silent.write)
    await silent.output.closed

    const quick = open()
    writeSync(quick.write, 'quick')
    closeSync(quick.write)
    await quick.output.closed

    const drained = open()
    writeSync(drained.write, 'drained')
    closeSync(drained.write)
    drained.output.drain()
    await drained.output.closed
  `
  assert.equal(await runProgram(t, program), 'silent\nquick\ndrained\n')
})

test('a pipe that has ended takes nothing from one that has its descriptor since', async () => {
  const first = openPipe()
  const ended = collect(first.read)
  first.close()
  await waitFor('it is at its end', ended.isClosed)
  const second = openPipe()
  assert.equal(second.read, first.read)
  const output = collect(second.read)
  second.send('for the second')
  ended.drain()
  assert.equal(ended.bytes(), 0)
  await waitFor('it is read', () => output.text() === 'for the second')
  second.close()
  await waitFor('it is at its end', output.isClosed)
})
