import koffi from 'koffi'

/**
 * Environments as execve(2) takes them: pointers to "NAME=value" strings, and a null pointer at the end. What all
 * jobs have in common is turned into C strings once, for that costs as much as all the rest of a start's preparation.
 */
export const createEnvironmentVectors = () => {
  const known = new WeakMap<Record<string, string>, StringVector>()
  let latest: StringVector

  const vectorOfCommon = (common: Record<string, string>): StringVector => {
    const vector = known.get(common) ?? vectorOf(common)
    known.set(common, vector)
    return vector
  }

  /**
   * `common` must not change between calls; `own` goes beside it, and takes the place of what has the same name.
   * What is returned is valid until the next call.
   */
  return (common: Record<string, string>, own: Record<string, string>): BigUint64Array => {
    const isReplaced = Object.keys(own).some(name => Object.hasOwn(common, name))
    latest = isReplaced ? vectorOf({ ...common, ...own }) : vectorOf(own, vectorOfCommon(common).pointers)
    return latest.pointers
  }
}

/** The pointers, and the memory that they point into, which must live as long. */
interface StringVector {
  pointers: BigUint64Array
  memory: Buffer[]
}

/** The strings of `before`, whose memory somebody else keeps, come first. */
const vectorOf = (env: Record<string, string>, before: BigUint64Array = NO_POINTERS): StringVector => {
  const strings = Object.entries(env).map(([name, value]) => Buffer.from(`${name}=${value}\0`))
  const pointers = new BigUint64Array(before.length + strings.length)
  pointers.set(before)
  // In place of the null pointer, with another one behind.
  for (const [index, string] of strings.entries()) pointers[before.length - 1 + index] = koffi.address(string)
  pointers[pointers.length - 1] = 0n
  return { pointers, memory: strings }
}

const NO_POINTERS = new BigUint64Array(1)
