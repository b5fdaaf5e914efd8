import { readdirSync, readFileSync } from 'node:fs'

/** A process told apart from a later one with its pid. */
export interface Known {
  pid: number
  startTime: string
}

const fieldsOf = (pid: number): string[] | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

export const know = (pid: number): Known => {
  const startTime = fieldsOf(pid)?.[19]
  if (startTime === undefined) throw new Error(`no process ${pid}`)
  return { pid, startTime }
}

/** A zombie is dead, unless only its first thread has ended. */
export const lives = ({ pid, startTime }: Known): boolean => {
  const fields = fieldsOf(pid)
  if (fields === undefined || fields[19] !== startTime) return false
  return !'ZX'.includes(fields[0]!) || Number(fields[17]) > 1
}

export const allPids = (): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter(pid => pid > 0)

/** The living processes whose command line or environment holds a text that only a test uses. */
export const findByText = (text: string): Known[] =>
  allPids().flatMap(pid => {
    if (pid === process.pid) return []
    try {
      const shown = ['cmdline', 'environ'].map(file => readFileSync(`/proc/${pid}/${file}`, 'latin1'))
      const known = know(pid)
      return shown.some(part => part.includes(text)) && lives(known) ? [known] : []
    } catch {
      return [] // Gone, or another user's.
    }
  })

export const zombieChildren = (parent: number): number[] =>
  allPids().filter(pid => {
    const fields = fieldsOf(pid)
    return fields?.[0] === 'Z' && Number(fields[1]) === parent
  })

export const openDescriptors = (): number => readdirSync('/proc/self/fd').length
