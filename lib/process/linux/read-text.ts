import { readFileSync } from 'node:fs'

/** A file that the kernel makes in memory; "" for one that cannot be read. */
export const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

export const words = (text: string): Set<string> => new Set(text.split(/\s+/).filter(Boolean))
