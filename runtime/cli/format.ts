/** "340ms", "12.3s", "3m12s", "2h5m", "3d4h". */
export const formatDuration = (ms: number): string => {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`
  const [unit, name, lower, lowerName] =
    ms < HOUR ? [MINUTE, 'm', 1000, 's'] : ms < DAY ? [HOUR, 'h', MINUTE, 'm'] : [DAY, 'd', HOUR, 'h']
  const rest = Math.floor((ms % unit) / lower)
  return `${Math.floor(ms / unit)}${name}${rest === 0 ? '' : `${rest}${lowerName}`}`
}

/** "now", "12s ago", "3m ago", "2h ago", "4d ago". */
export const formatAge = (ms: number): string => {
  if (ms < 1000) return 'now'
  if (ms < MINUTE) return `${Math.floor(ms / 1000)}s ago`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m ago`
  return ms < DAY ? `${Math.floor(ms / HOUR)}h ago` : `${Math.floor(ms / DAY)}d ago`
}

/** "512 B", "1.5 MB"; powers of 1024, as ps and top have them. */
export const formatBytes = (bytes: number): string => {
  const power = bytes < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`
}

/** What somebody else has written, as one line that does nothing to a terminal. */
export const printable = (text: string): string =>
  text.replace(CONTROLS, character => ESCAPES[character] ?? escapeOf(character))

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const UNITS = ['B', 'KB', 'MB', 'GB', 'TB']

/** Controls of C0 and C1, line separators, and what changes the direction of writing. */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
const ESCAPES: Record<string, string> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '\u001b': '\\e' }
const escapeOf = (character: string): string => {
  const code = character.charCodeAt(0)
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`
}
