import { connect } from 'node:net'
import { text } from 'node:stream/consumers'

/** What a command that fails has said. */
export class ShellError extends Error {}

/**
 * Runs bash as root inside the machine, beside the agent; resolves with what it prints. Rejects when the machine does
 * not answer, when the script fails, and after the deadline.
 */
export const runAsRoot = async (port: number, script: string, deadlineMs: number): Promise<string> => {
  const socket = connect(port, '127.0.0.1')
  socket.setTimeout(deadlineMs, () => socket.destroy(new Error(`silent for ${deadlineMs} ms: ${script}`)))
  // One line for all of it: a shell that reads commands must not have them read by what they start.
  socket.write(`(\n${script}\n) < /dev/null 2>&1; echo "exit $?"; exit\n`)
  const output = await text(socket)
  const [, printed, status] = /^(.*)exit (\d+)\n$/s.exec(output) ?? []
  if (printed === undefined) throw new Error(`the connection broke: ${script}: ${output}`)
  if (status !== '0') throw new ShellError(`exit ${status}: ${script}: ${printed}`)
  return printed.trimEnd()
}
