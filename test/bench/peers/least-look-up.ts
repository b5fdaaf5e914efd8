import { join } from 'node:path'
import { runProgram } from '../children.ts'
import type { Target } from '../load/load.ts'
import { startLogging, untilListening } from '../log-file.ts'
import type { Scratch } from '../scratch.ts'
import { signedHeaders } from '../submission.ts'

/** With one finished job in its store; asked for that as an agent is, and logs to a file as it does. */
export const startLeastLookUp = async (scratch: Scratch): Promise<Target & { logFile: string }> => {
  const home = scratch.directory('least')
  const database = join(home, 'jobs.db')
  await runProgram(scratch, 'fill-history.ts', [ROOT, database, 1])
  const logFile = join(home, 'log')
  const child = startLogging(scratch, [process.execPath, PROGRAM, database], logFile)
  const { address, pid } = await untilListening(logFile, child)
  return { url: address, headers: signedHeaders(), pid, logFile }
}

const ROOT = join(import.meta.dirname, '../../..')
const PROGRAM = join(import.meta.dirname, '../programs/least-look-up.ts')
