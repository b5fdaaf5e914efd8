import { join } from 'node:path'
import type { Checkout } from './bench.ts'
import { runProgram } from './children.ts'
import type { Scratch } from './scratch.ts'

/** Stores with finished jobs, each filled once and by the code of the checkout whose agent is to open it. */
export const createHistories = (scratch: Scratch, progress: (text: string) => void) => {
  const filled = new Map<string, Promise<string>>()

  const fill = async ({ name, directory }: Checkout, jobs: number): Promise<string> => {
    progress(`a store is filled with ${jobs} jobs for ${name}`)
    const path = join(scratch.directory('history'), 'newdt-auto.db')
    await runProgram(scratch, 'fill-history.ts', [directory, path, jobs])
    return path
  }

  return {
    /** The path of a database to be copied. */
    pathOf(checkout: Checkout, jobs: number): Promise<string> {
      const key = `${checkout.directory} ${jobs}`
      const path = filled.get(key) ?? fill(checkout, jobs)
      filled.set(key, path)
      return path
    },
  }
}

export type Histories = ReturnType<typeof createHistories>
