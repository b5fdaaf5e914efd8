import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, type TestContext, test } from 'node:test'
import { openBallast } from '../../../lib/store/ballast.ts'
import { createFailingDisk } from '../../support/failing-disk.ts'
import { fakeDisk } from '../../support/fake-disk.ts'
import { scratchDirectory } from '../../support/scratch.ts'
import { waitFor } from '../../support/wait-for.ts'

const open = async (t: TestContext, path: string) => {
  const ballast = await openBallast(path)
  t.after(ballast.close)
  return ballast
}

test('the file takes room in full, for its owner alone, until it is given up; then it is made again', async t => {
  const path = join(scratchDirectory(), 'ballast')
  const ballast = await open(t, path)
  assert.equal(ballast.isHeld(), true)
  const { size, blocks, mode } = statSync(path)
  assert.deepEqual([size, mode & 0o777], [1 << 20, 0o600])
  assert.ok(blocks * 512 >= size, 'no hole')

  assert.equal(ballast.giveUp(), true)
  assert.deepEqual([ballast.isHeld(), existsSync(path)], [false, false])
  assert.equal(ballast.giveUp(), false)
  await waitFor('it is held again', ballast.isHeld)
  assert.equal(statSync(path).size, 1 << 20)
})

test('a file that an earlier agent left is held, and one that it did not finish is made in full', async t => {
  const path = join(scratchDirectory(), 'ballast')
  const first = await open(t, path)
  first.close()
  assert.equal((await open(t, path)).isHeld(), true)
  truncateSync(path, 1000)
  assert.equal((await open(t, path)).isHeld(), true)
  assert.equal(statSync(path).size, 1 << 20)
})

test('what is no regular file is refused, is not waited for, and a link is not followed', async () => {
  const directory = scratchDirectory()
  const path = (name: string) => join(directory, name)
  execFileSync('mkfifo', [path('pipe')])
  mkdirSync(path('directory'))
  writeFileSync(path('precious'), 'precious')
  symlinkSync(path('precious'), path('link'))
  for (const name of ['pipe', 'directory', 'link'])
    await assert.rejects(openBallast(path(name)), { message: `${path(name)} is no regular file` })
  assert.equal(readFileSync(path('precious'), 'utf8'), 'precious')
})

test('a file of somebody else is refused, and one that comes later is left alone', async t => {
  const path = join(scratchDirectory(), 'ballast')
  for (const content of ['precious', `${'\x01'.repeat(1000)}precious`, 'x'.repeat(1 << 20)]) {
    writeFileSync(path, content)
    await assert.rejects(openBallast(path), { message: new RegExp(`^${path} is somebody else's file`) })
    assert.equal(readFileSync(path, 'utf8'), content)
  }
  rmSync(path)
  const ballast = await open(t, path)
  assert.equal(ballast.giveUp(), true)
  writeFileSync(path, 'precious')
  // It is made again after a second, where it can be.
  const other = await open(t, join(scratchDirectory(), 'ballast'))
  other.giveUp()
  await waitFor('the other is held again', other.isHeld)
  assert.deepEqual([ballast.isHeld(), readFileSync(path, 'utf8')], [false, 'precious'])
})

test('what a loss of power has left of one is made in full', async t => {
  const path = join(scratchDirectory(), 'ballast')
  for (const content of [Buffer.alloc(0), Buffer.alloc(1 << 20), Buffer.alloc(5000, 1)]) {
    writeFileSync(path, content)
    const ballast = await open(t, path)
    assert.deepEqual([ballast.isHeld(), statSync(path).size], [true, 1 << 20])
    ballast.close()
  }
})

test('it is not made where too little is free, for that is what the ends of jobs are using', async t => {
  const path = join(scratchDirectory(), 'ballast')
  const ballast = await openBallast(path, { enoughBytes: 2 ** 60 })
  t.after(ballast.close)
  assert.deepEqual([ballast.isHeld(), existsSync(path)], [false, false])
})

test('what is free is counted in the blocks of the file system', async t => {
  fakeDisk(t, { freeBytes: 2 << 20 })
  assert.equal((await open(t, join(scratchDirectory(), 'ballast'))).isHeld(), false)
})

test('a file that somebody has removed makes no room', async t => {
  const path = join(scratchDirectory(), 'ballast')
  const ballast = await open(t, path)
  rmSync(path)
  assert.equal(ballast.giveUp(), false)
  assert.equal(ballast.isHeld(), false)
})

test('where no file can be made nothing is held and nothing is thrown', async t => {
  const ballast = await open(t, join(scratchDirectory(), 'missing/ballast'))
  assert.equal(ballast.isHeld(), false)
  assert.equal(ballast.giveUp(), false)
})

describe('on a disk that cannot be written any more', () => {
  const scratch = scratchDirectory()
  const data = scratchDirectory()
  const disk = createFailingDisk(scratch, data)
  const program = join(import.meta.dirname, '../../support/hold-ballast.ts')

  /** Holds the ballast in a process whose disk fails when it is told to; asks it and waits for what it says. */
  const holder = (t: TestContext, path: string) => {
    const env = { ...process.env, ...disk!.env }
    const child = spawn(process.execPath, [program, path], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const next = async (): Promise<string | undefined> => (await lines.next()).value
    return {
      opened: next(),
      ask(question: 'give up' | 'is held'): Promise<string | undefined> {
        child.stdin.write(`${question}\n`)
        return next()
      },
      async close(): Promise<number> {
        child.stdin.end()
        const [code] = await once(child, 'exit')
        return code
      },
    }
  }

  for (const error of ['EROFS', 'EIO'] as const) {
    test(`giving up throws nothing after ${error}, and it is held again when writing works`, {
      skip: !disk && 'no C compiler',
    }, async t => {
      const path = join(data, `ballast-${error}`)
      const one = holder(t, path)
      assert.equal(await one.opened, 'true')
      disk!.fail(error)
      assert.equal(await one.ask('give up'), 'false')
      assert.equal(await one.ask('is held'), 'false')

      // The file is still there in full, but that does not count while the disk takes no write.
      assert.equal(statSync(path).size, 1 << 20)
      const other = holder(t, path)
      assert.equal(await other.opened, 'false')
      assert.equal(await one.ask('is held'), 'false')

      disk!.heal()
      await waitFor('it is held again', async () => (await one.ask('is held')) === 'true')
      assert.deepEqual([await one.close(), await other.close()], [0, 0])
    })
  }
})
