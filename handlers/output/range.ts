/**
 * The one range that a Range header asks for, as offsets [start, end) (RFC 9110, 14.1.2). Undefined when it is to be
 * ignored: none, not in bytes, malformed, or several.
 */
export const parseRange = (
  header: string | null,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined => {
  const [, first, last] = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || first + last === '') return undefined
  if (first === '') {
    if (Number(last) === 0) return 'unsatisfiable'
    // All of nothing: there is no way to say so in a Content-Range.
    return size === 0 ? undefined : { start: Math.max(0, size - Number(last)), end: size }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return undefined
  if (start >= size) return 'unsatisfiable'
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) }
}
