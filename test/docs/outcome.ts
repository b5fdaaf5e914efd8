/** What became of a piece of code. */
export interface Outcome {
  /** What it printed, on both streams. */
  output: string
  status: number
}

export class DeadlineError extends Error {
  readonly output: string

  constructor(deadlineMs: number, output: string) {
    super(`does not end within ${deadlineMs} ms`)
    this.output = output
  }
}

/** A process that leads a group, and what it has started in it. */
export const killGroup = (leader: number): void => {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // All of it has ended.
  }
}
