import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readText, words } from '../read-text.ts'

/** The pids in a group; 0, a process of another pid namespace, is none of ours. */
export const processesOf = (group: string): number[] =>
  [...words(readText(join(group, 'cgroup.procs')))].map(Number).filter(pid => pid > 0)

/** The names of the groups below a group. */
export const groupsIn = (group: string): string[] => {
  try {
    return readdirSync(group, { withFileTypes: true }).flatMap(entry =>
      entry.isDirectory() ? [entry.name] : [],
    )
  } catch {
    return []
  }
}

/** Throws the system's error with the path of the file. */
export const writeTo = (group: string, file: string, value: string): void => {
  try {
    writeFileSync(join(group, file), value)
  } catch (error) {
    throw Object.assign(error as Error, { message: `${join(group, file)}: ${(error as Error).message}` })
  }
}
