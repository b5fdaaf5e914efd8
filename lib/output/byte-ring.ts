/**
 * A queue of bytes in one buffer that grows up to what is needed and is used over and over, so that a flood of
 * output makes no garbage.
 */
export const createByteRing = () => {
  let buffer = Buffer.alloc(0)
  let first = 0
  let length = 0

  const grow = (needed: number): void => {
    if (needed <= buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(SMALLEST_BYTES, 2 ** Math.ceil(Math.log2(needed))))
    copyOut(0, length, larger)
    buffer = larger
    first = 0
  }

  const copyOut = (offset: number, count: number, target: Uint8Array): void => {
    if (count === 0) return
    const from = (first + offset) % buffer.length
    const untilEnd = Math.min(count, buffer.length - from)
    target.set(buffer.subarray(from, from + untilEnd))
    target.set(buffer.subarray(0, count - untilEnd), untilEnd)
  }

  return {
    length: (): number => length,

    push(bytes: Uint8Array): void {
      if (bytes.length === 0) return
      grow(length + bytes.length)
      const at = (first + length) % buffer.length
      const untilEnd = Math.min(bytes.length, buffer.length - at)
      buffer.set(bytes.subarray(0, untilEnd), at)
      buffer.set(bytes.subarray(untilEnd), 0)
      length += bytes.length
    },

    /** Forgets the oldest bytes. */
    drop(count: number): void {
      const dropped = Math.min(count, length)
      length -= dropped
      first = length === 0 ? 0 : (first + dropped) % buffer.length
    },

    /** `count` bytes from `offset` on, counted from the oldest; only valid until the next change. */
    view(offset: number, count: number): Uint8Array {
      const from = buffer.length === 0 ? 0 : (first + offset) % buffer.length
      if (from + count <= buffer.length) return buffer.subarray(from, from + count)
      const copied = Buffer.allocUnsafe(count)
      copyOut(offset, count, copied)
      return copied
    },

    /** Gives the memory back, with all that was in it. */
    clear(): void {
      buffer = Buffer.alloc(0)
      first = 0
      length = 0
    },
  }
}

const SMALLEST_BYTES = 4096
