import { basename, join } from 'node:path'
import { createHistories, type Histories } from './history.ts'
import { createLoad, type Load } from './load/load.ts'
import type { Options } from './options.ts'
import { createScratch, type Scratch } from './scratch.ts'
import { findTools, type Tools } from './tools.ts'

/** What a row has to work with. */
export interface Bench {
  options: Options
  /** This one first. */
  checkouts: Checkout[]
  tools: Tools
  scratch: Scratch
  load: Load
  histories: Histories
  progress(text: string): void
}

/** A directory with this program in it. */
export interface Checkout {
  name: string
  directory: string
}

export const createBench = (options: Options, progress: (text: string) => void): Bench => {
  const scratch = createScratch()
  const tools = findTools()
  return {
    options,
    checkouts: [
      { name: 'agent', directory: join(import.meta.dirname, '../..') },
      ...options.also.map(directory => ({ name: `agent (${basename(directory)})`, directory })),
    ],
    tools,
    scratch,
    load: createLoad(scratch, tools.wrk),
    histories: createHistories(scratch, progress),
    progress,
  }
}
