import type { Readable } from 'node:stream'

/** A process of the agent's own, with the agent's own rights and outside of all limits of jobs. */
export interface HelperSpec {
  /** A name to be looked up in the agent's PATH. */
  file: string
  args: string[]
  /** Never changed. */
  env: Record<string, string>
  /** Asked right before the start, which may have had to wait for its turn: if not, it fails without a message. */
  isWanted(): boolean
}

export interface Helper {
  /** What it writes to its standard output; what it says besides is lost. */
  output: Readable
  /** Resolves when it has ended and was reaped; never rejects. */
  exited: Promise<void>
  /** Its answer was read: it reads an empty line, which tells it to end. What else it writes is lost. */
  finish(): void
  /** Kills it and all that has stayed in its process group, and reads no more. */
  kill(): void
}
