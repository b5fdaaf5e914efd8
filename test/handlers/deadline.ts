/** The promise, or an error that says for what was waited too long. */
export const withDeadline = async <T>(promise: Promise<T>, what: string, ms = 5000): Promise<T> => {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`no ${what} within ${ms} ms`)), ms)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Once more than enough turns have passed for whatever is ready to happen. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
}

export const isPending = async (promise: Promise<unknown>): Promise<boolean> => {
  let pending = true
  const settle = () => {
    pending = false
  }
  void promise.then(settle, settle)
  await settled()
  return pending
}
