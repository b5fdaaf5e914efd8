import { accessSync, constants } from 'node:fs'
import { join, relative } from 'node:path'
import { readText, words } from '../read-text.ts'

/** What a control group can be limited in, as cgroups(7) names it in version 2. */
export type Controller = 'memory' | 'cpu' | 'pids' | 'io'

/** The agent's own group in one tree of control groups. Version 1 has a tree for each controller, or for some together. */
export interface Hierarchy {
  version: 1 | 2
  /** The directory of the agent's own group. */
  directory: string
  controllers: ReadonlySet<string>
}

/** All trees that are mounted here, whatever the agent may do in them. */
export const readHierarchies = (): Hierarchy[] => {
  const mounts = readText('/proc/self/mountinfo')
  const own = readText('/proc/self/cgroup')
  return parseHierarchies(mounts, own).map(found =>
    found.version === 1
      ? found
      : { ...found, controllers: words(readText(join(found.directory, 'cgroup.controllers'))) },
  )
}

/**
 * From the lines of /proc/self/mountinfo and /proc/self/cgroup; those of version 2 without controllers, which only the
 * group itself tells.
 */
export const parseHierarchies = (mounts: string, own: string): Hierarchy[] => {
  const groups = own.split('\n').flatMap(line => {
    const [, names, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    return path === undefined || names!.startsWith('name=') ? [] : [{ names: names!, path }]
  })
  const found = new Map<string, Hierarchy>()
  for (const line of mounts.split('\n')) {
    const [before, after] = line.split(' - ')
    const [, , , root, point] = (before ?? '').split(' ').map(unescapePath)
    const [type, , options = ''] = (after ?? '').split(' ')
    if ((type !== 'cgroup' && type !== 'cgroup2') || root === undefined || point === undefined) continue
    const isMounted = ({ names }: { names: string }) =>
      type === 'cgroup2'
        ? names === ''
        : names !== '' && names.split(',').every(name => options.split(',').includes(name))
    const group = groups.find(isMounted)
    const below = group && relative(root, group.path)
    // A group outside of what is mounted cannot be reached.
    if (!group || below === undefined || below.startsWith('..') || found.has(group.names)) continue
    const directory = join(point, below)
    found.set(
      group.names,
      type === 'cgroup2'
        ? { version: 2, directory, controllers: new Set() }
        : { version: 1, directory, controllers: new Set(group.names.split(',')) },
    )
  }
  return [...found.values()]
}

/** As the kernel writes what must not end a field: `\040` for a space. */
const unescapePath = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

export const isWritable = (path: string): boolean => {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}
