import { once } from 'node:events'
import { styleText } from 'node:util'

/** Where output goes; who writes waits until its reader has taken enough. */
export interface Sink {
  /** Rejects with BrokenPipeError when the reader is gone. */
  write(bytes: Uint8Array | string): Promise<void>
  isTerminal: boolean
  /** Of a terminal; undefined elsewhere. */
  columns(): number | undefined
  /** In colour where that is wanted: on a terminal, without NO_COLOR. */
  colour(format: Colour, text: string): string
}

export type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'magenta' | 'blue'

/** newdt's own output cannot be written. */
export class SinkError extends Error {}
/** Such as `head` leaves when it has read enough. */
export class BrokenPipeError extends SinkError {}

export const createSink = (stream: NodeJS.WriteStream): Sink => {
  let fault: NodeJS.ErrnoException | undefined
  /** All who write wait for the same. */
  let drained: Promise<unknown> | undefined
  stream.on('error', error => {
    fault = error
  })
  return {
    async write(bytes) {
      if (!fault && stream.write(bytes)) return
      // A write that fails says so by `error`, which ends the waiting for `drain`.
      drained ??= once(stream, 'drain')
        .catch(() => {})
        .finally(() => {
          drained = undefined
        })
      if (!fault) await drained
      if (fault?.code === 'EPIPE') throw new BrokenPipeError('nobody reads any more')
      if (fault) throw new SinkError(fault.message, { cause: fault })
    },
    isTerminal: stream.isTTY === true,
    columns: () => (stream.isTTY ? stream.columns : undefined),
    colour: (format, text) => styleText(format, text, { stream }),
  }
}
