import { execFileSync } from 'node:child_process'

/** Whether all of the commands are there. */
export const isInstalled = (...commands: string[]): boolean => {
  try {
    for (const command of commands) execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
