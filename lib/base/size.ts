import bytes from 'bytes'

/** Bytes of a size such as "16mb", "1.5 kb" or "100" (powers of 1024); undefined for anything else. */
export const parseSize = (text: string): number | undefined =>
  /^\d{1,12}(\.\d{1,6})? ?(b|kb|mb|gb|tb)?$/i.test(text) ? (bytes.parse(text) ?? undefined) : undefined
