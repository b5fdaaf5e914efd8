import { join } from 'node:path'
import type { Checkout } from '../bench.ts'
import { runProgram } from '../children.ts'
import type { Target } from '../load/load.ts'
import { startLogging, untilListening } from '../log-file.ts'
import type { Scratch } from '../scratch.ts'
import { signedHeaders } from '../submission.ts'

/** With one finished job in its store; asked for that as an agent is, and logs to a file as it does. */
export const startLeastLookUp = async (scratch: Scratch, { directory }: Checkout): Promise<Target> => {
  const home = scratch.directory('least')
  const database = join(home, 'jobs.db')
  await runProgram(scratch, 'fill-history.ts', [directory, database, 1])
  const log = join(home, 'log')
  const child = startLogging(scratch, [process.execPath, PROGRAM, database], log)
  const { address, pid } = await untilListening(log, child)
  return { url: address, headers: signedHeaders(), pid }
}

const PROGRAM = join(import.meta.dirname, '../programs/least-look-up.ts')
