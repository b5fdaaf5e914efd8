import { once } from 'node:events'
import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { ConsoleFile, ConsoleService } from '../../handlers/services.ts'

/**
 * The console's files. They are made for the first one who asks, in a thread of its own: it takes a fifth of a second
 * and some memory, which an agent that nobody looks at does not pay.
 */
export const createConsoleFiles = (): ConsoleService => {
  let files: Promise<Map<string, ConsoleFile>> | undefined
  return {
    async find(path) {
      files ??= makeFiles()
      try {
        return (await files).get(path)
      } catch (error) {
        files = undefined // Out of descriptors, perhaps: the next one may have better luck.
        throw error
      }
    },
  }
}

const makeFiles = async (): Promise<Map<string, ConsoleFile>> => {
  const worker = new Worker(
    join(import.meta.dirname, `pack-console-worker${extname(import.meta.filename)}`),
    {
      workerData: { page: PAGE },
      // That Node strips types by a function is new, and it says so on standard error.
      execArgv: ['--disable-warning=ExperimentalWarning', '--experimental-import-meta-resolve'],
      env: {},
      // V8 ends the whole process where it cannot reserve what it asks for by default, under a limit of address space.
      resourceLimits: { codeRangeSizeMb: 16, maxOldGenerationSizeMb: 128 },
    },
  )
  const ended = once(worker, 'exit').then(([code]) => {
    throw new Error(`the console could not be made: its thread has ended with ${code}`)
  })
  const [files] = await Promise.race([once(worker, 'message'), ended])
  return new Map(files)
}

const PAGE = join(import.meta.dirname, '../console/index.html')
