import type { JobProcess } from '../../../lib/client/client.ts'

export interface ProcessRow {
  process: JobProcess
  /** 0 for one whose parent is none of the job's. */
  depth: number
}

/** Each process below its parent, those of one parent by their pids. */
export const treeOf = (processes: readonly JobProcess[]): ProcessRow[] => {
  const pids = new Set(processes.map(({ pid }) => pid))
  const sorted = processes.toSorted((a, b) => a.pid - b.pid)
  const children = Map.groupBy(sorted, ({ parent }) => parent)
  const rows: ProcessRow[] = []
  const placed = new Set<number>()
  // Not by recursion: a chain of thousands of processes is possible.
  const placeAll = (roots: readonly JobProcess[]): void => {
    const open = roots.map(process => ({ process, depth: 0 })).reverse()
    for (let row = open.pop(); row; row = open.pop()) {
      const { pid } = row.process
      if (placed.has(pid)) continue
      placed.add(pid)
      rows.push(row)
      const { depth } = row
      open.push(...(children.get(pid) ?? []).map(process => ({ process, depth: depth + 1 })).reverse())
    }
  }
  placeAll(sorted.filter(({ parent }) => !pids.has(parent)))
  // They were not read at one moment: pids that were used again may make a circle.
  for (const process of sorted) placeAll([process])
  return rows
}
