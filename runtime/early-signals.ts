export interface EarlySignals {
  /** Calls `drain` for each SIGUSR2, once and at once for those that have come already. */
  onDrain(drain: () => void): void
}

/** Takes the signals over that would do harm until somebody listens to them. */
export const catchSignals = (): EarlySignals => {
  // Node opens its inspector for it, to every user of the host, unless somebody listens.
  process.on('SIGUSR1', () => {})
  let isDue = false
  let drain = (): void => {
    isDue = true
  }
  process.on('SIGUSR2', () => drain())
  return {
    onDrain(listener) {
      drain = listener
      if (isDue) drain()
    },
  }
}
