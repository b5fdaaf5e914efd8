import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { untilAnswered } from '../http.ts'
import type { Target } from '../load/load.ts'
import { freePort } from '../ports.ts'
import type { Scratch } from '../scratch.ts'

/** https://github.com/adnanh/webhook: answers with the output of the command when it has ended. */
export const startWebhook = async (scratch: Scratch, file: string): Promise<Target> => {
  const port = await freePort()
  const { pid } = launchWebhook(scratch, file, port)
  await untilAnswered(`http://127.0.0.1:${port}/`)
  return { url: `http://127.0.0.1:${port}/hooks/run`, pid }
}

/** Starts it, and does not wait. */
export const launchWebhook = (scratch: Scratch, file: string, port: number) => {
  const hooks = join(scratch.directory('webhook'), 'hooks.json')
  writeFileSync(hooks, JSON.stringify([HOOK]))
  return scratch.start(file, ['-hooks', hooks, '-ip', '127.0.0.1', '-port', String(port)])
}

const HOOK = {
  id: 'run',
  'execute-command': 'bash',
  'pass-arguments-to-command': [
    { source: 'string', name: '-c' },
    { source: 'string', name: ':' },
  ],
  'include-command-output-in-response': true,
}
