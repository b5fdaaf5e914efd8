import { INTERRUPTED } from './exit-code.ts'

export interface Interrupt extends Disposable {
  /** Aborted by the first Ctrl-C, TERM or HUP; its reason is the name of the signal. */
  readonly signal: AbortSignal
}

/** Whoever presses Ctrl-C once more has lost patience: newdt ends at once. */
export const onInterrupt = (): Interrupt => {
  const controller = new AbortController()
  let firstAt: number | undefined
  const stop = (name: NodeJS.Signals): void => {
    // A terminal and npx both deliver Ctrl-C, a moment apart.
    if (firstAt !== undefined && performance.now() - firstAt > SAME_MS) process.exit(INTERRUPTED)
    firstAt ??= performance.now()
    controller.abort(name)
  }
  for (const name of SIGNALS) process.on(name, stop)
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of SIGNALS) process.off(name, stop)
    },
  }
}

const SAME_MS = 300
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
