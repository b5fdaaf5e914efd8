import { closeAll } from '../../runtime/cli/cli.ts'
import { splitAtDashes, verbOf } from '../../runtime/cli/command-line.ts'
import { createProgram } from '../../runtime/cli/program.ts'
import type { Sink } from '../../runtime/cli/sink.ts'

/** Runs a verb of newdt in this process, to its end; rejects with what has gone wrong. */
export const runVerb = async (args: string[], env: NodeJS.ProcessEnv) => {
  const printed = { out: '', err: '' }
  const sink = (name: keyof typeof printed): Sink => ({
    async write(bytes) {
      printed[name] += typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString()
    },
    isTerminal: false,
    columns: () => undefined,
    colour: (_, text) => text,
  })
  const { own, rest } = splitAtDashes(args)
  const cli = {
    env,
    rest,
    stdin: process.stdin,
    out: sink('out'),
    err: sink('err'),
    exitCode: 0,
    closers: [],
  }
  const program = await createProgram(cli, verbOf(own))
  await program.parseAsync(own, { from: 'user' }).finally(() => closeAll(cli))
  return { code: cli.exitCode, stdout: printed.out, stderr: printed.err }
}
