/**
 * For work that would hold up the page: what this returns is awaited between two small steps, and lets the page do
 * its own work whenever a few milliseconds have gone by.
 */
export const createBreather = (budgetMs = 8) => {
  let since = performance.now()
  return async (): Promise<void> => {
    if (performance.now() - since < budgetMs) return
    await nextTask()
    since = performance.now()
  }
}

export type Breather = ReturnType<typeof createBreather>

/** Waits for what else is to be done. Timers would be slowed down, most of all in a tab that is not looked at. */
export const nextTask = (): Promise<void> =>
  new Promise(resolve => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
