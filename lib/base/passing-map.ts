/**
 * A map for what comes and goes all the time. V8 makes the table of a Map anew every few changes, and one that has grown
 * old keeps all that came after it alive, with whatever they held, until all of the heap is looked at. So what is held
 * here lies in boxes, which are emptied when it goes: only empty boxes grow old.
 */
export const createPassingMap = <K, V extends {}>() => {
  const boxes = new Map<K, { held: V | undefined }>()
  return {
    get: (key: K): V | undefined => boxes.get(key)?.held,

    has: (key: K): boolean => boxes.has(key),

    set(key: K, held: V): void {
      const box = boxes.get(key)
      if (box) box.held = held
      else boxes.set(key, { held })
    },

    /** Whether it was there. */
    delete(key: K): boolean {
      const box = boxes.get(key)
      if (!box) return false
      box.held = undefined
      return boxes.delete(key)
    },

    size: (): number => boxes.size,

    /** The first that came, of those for which it is true. */
    find(isIt: (held: V) => boolean): V | undefined {
      for (const { held } of boxes.values()) if (isIt(held!)) return held
      return undefined
    },

    keys: (): K[] => [...boxes.keys()],

    /** Those of now, the first that came first. */
    values: (): V[] => Array.from(boxes.values(), ({ held }) => held!),
  }
}

export type PassingMap<K, V extends {}> = ReturnType<typeof createPassingMap<K, V>>
