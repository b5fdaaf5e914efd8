import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { versionOf, watchFiles } from '../../runtime/watch-files.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { waitFor } from '../support/wait-for.ts'

const directory = scratchDirectory()
let files = 0

const newFile = async (content: string) => {
  const path = join(directory, `${files++}`)
  writeFileSync(path, content)
  return { path, paths: [path], version: await versionOf([path]), read: () => readFileSync(path, 'utf8') }
}

test('a change that could not be read for a while is taken up as soon as it can, and its fault told once', async t => {
  const { path, paths, version, read } = await newFile('a key, and one more')
  const loaded: string[] = []
  const faults: string[] = []
  let looks = 0
  const watch = watchFiles({
    paths,
    version,
    intervalMs: 2,
    async load() {
      if (looks++ < 5) throw new Error('EMFILE: too many open files')
      return read()
    },
    onLoaded: text => void loaded.push(text),
    onFault: message => void faults.push(message),
  })
  t.after(watch.close)
  writeFileSync(path, 'a key')
  await waitFor('the change is taken up', () => loaded.length === 1)
  assert.deepEqual([loaded, faults], [['a key'], ['EMFILE: too many open files']])
})

test('each other fault of a file, and each fault of another one, is told', async t => {
  const { path, paths, version } = await newFile('')
  const faults: string[] = []
  let fault = 'one'
  const watch = watchFiles({
    paths,
    version,
    intervalMs: 2,
    load: () => Promise.reject(new Error(fault)),
    onLoaded: () => assert.fail('nothing can be loaded'),
    onFault: message => void faults.push(message),
  })
  t.after(watch.close)
  writeFileSync(path, 'changed')
  await waitFor('the first fault is told', () => faults.join() === 'one')
  fault = 'two'
  await waitFor('the second is told', () => faults.join() === 'one,two')
  writeFileSync(path, 'changed again')
  await waitFor('that of the next file is told', () => faults.join() === 'one,two,two')
})

test('a file that is being written is not read before it has been the same for two looks', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { path, paths, version, read } = await newFile('before')
  const loaded: string[] = []
  const load = async (): Promise<string> => {
    loaded.push(read())
    return read()
  }
  const watch = watchFiles({ paths, version, load, onLoaded() {}, onFault: assert.fail })
  t.after(watch.close)
  const look = async (): Promise<void> => {
    t.mock.timers.tick(1000)
    for (let n = 0; n < 20; n++) await versionOf(paths)
  }
  writeFileSync(path, 'c')
  await look()
  appendFileSync(path, 'orrect-horse')
  await look()
  await waitFor('it is taken up', async () => {
    await look()
    return loaded.length > 0
  })
  assert.deepEqual(loaded, ['correct-horse'])
})

test('a file that never rests is read at the third look, and not again while the same is in it', async t => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { path, paths, version, read } = await newFile('before')
  const taken: string[] = []
  const faults: string[] = []
  let loads = 0
  const load = async (): Promise<string> => {
    loads++
    if (read() === 'faulty') throw new Error(`faulty ${loads}`)
    return read()
  }
  const onLoaded = (text: string) => void taken.push(text)
  const watch = watchFiles({ paths, version, load, onLoaded, onFault: fault => void faults.push(fault) })
  t.after(watch.close)
  let touches = 0
  /** A look that finds the file touched; resolves when the watch has done what it does of it. */
  const look = async (): Promise<void> => {
    utimesSync(path, 1000 + touches++, 1000)
    t.mock.timers.tick(1000)
    for (let n = 0; n < 50; n++) await versionOf(paths)
  }
  const lookUntil = (label: string, condition: () => boolean) =>
    waitFor(label, async () => {
      await look()
      return condition()
    })
  writeFileSync(path, 'after')
  await look()
  await look()
  assert.deepEqual(taken, [])
  await lookUntil('it is taken up', () => taken.length > 0)
  await lookUntil('it is read again', () => loads >= 4)
  writeFileSync(path, 'faulty')
  const before = loads
  await lookUntil('it is read again and again', () => loads >= before + 4)
  writeFileSync(path, 'once more')
  await lookUntil('what follows is taken up', () => taken.length > 1)
  assert.deepEqual([taken, faults.length], [['after', 'once more'], 1])
})

test('what changes while it is read is not taken up, but what it has become', async t => {
  const { path, paths, version, read } = await newFile('before')
  const loaded: string[] = []
  let reads = 0
  const watch = watchFiles({
    paths,
    version,
    intervalMs: 2,
    async load() {
      const text = read()
      if (reads++ === 0) appendFileSync(path, 'orrect-horse')
      return text
    },
    onLoaded: text => void loaded.push(text),
    onFault: assert.fail,
  })
  t.after(watch.close)
  writeFileSync(path, 'c')
  await waitFor('the whole is taken up', () => loaded.length > 0)
  assert.deepEqual(loaded, ['correct-horse'])
})

test('nothing is taken up after the watch was closed', async () => {
  const { path, paths, version } = await newFile('before')
  const loading = Promise.withResolvers<void>()
  const loaded = Promise.withResolvers<string>()
  const load = (): Promise<string> => {
    loading.resolve()
    return loaded.promise
  }
  const onLoaded = () => assert.fail('it was taken up')
  const watch = watchFiles({ paths, version, intervalMs: 2, load, onLoaded, onFault: assert.fail })
  writeFileSync(path, 'after')
  await loading.promise
  watch.close()
  loaded.resolve('after')
  for (let n = 0; n < 20; n++) await versionOf(paths)
})
