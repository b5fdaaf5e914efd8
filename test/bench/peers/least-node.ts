import { join } from 'node:path'
import type { Target } from '../load/load.ts'
import { startLogging, untilListening } from '../log-file.ts'
import type { Scratch } from '../scratch.ts'
import { submissionTo } from '../submission.ts'

/** Asked as an agent is, and logs to a file as it does. */
export const startLeastNode = async (scratch: Scratch, cmd: string): Promise<Target> => {
  const home = scratch.directory('least')
  const log = join(home, 'log')
  const child = startLogging(scratch, [process.execPath, PROGRAM, home], log)
  return submissionTo(await untilListening(log, child), cmd)
}

const PROGRAM = join(import.meta.dirname, '../programs/least-node.ts')
