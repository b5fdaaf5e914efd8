import bytes from 'bytes'

/** Bytes of a size such as "16mb", "1.5 kb" or "100" (powers of 1024); undefined for anything else. */
export const parseSize = (text: string): number | undefined =>
  /^\d{1,12}(\.\d{1,6})? ?(b|kb|mb|gb|tb)?$/i.test(text) ? (bytes.parse(text) ?? undefined) : undefined

/** Bytes as parseSize reads them, exactly: "512mb", or "1000b". */
export const sizeText = (size: number): string => {
  const [unit, one] = UNITS.find(([, one]) => size > 0 && size % one === 0) ?? ['b', 1]
  return `${size / one}${unit}`
}

const UNITS: readonly [unit: string, bytes: number][] = [
  ['tb', 1024 ** 4],
  ['gb', 1024 ** 3],
  ['mb', 1024 ** 2],
  ['kb', 1024],
]
