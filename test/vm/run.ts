import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Runs a program to its end; resolves with its output, and rejects with what it says when it fails. */
export const run = async (file: string, args: string[]): Promise<string> => {
  const { stdout } = await execute(file, args, { maxBuffer: 1 << 26 })
  return stdout
}
