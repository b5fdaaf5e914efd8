import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHome, startAgent } from '../../bench/agent.ts'
import { createScratch } from '../../bench/scratch.ts'
import { draw } from './draw.ts'
import { record } from './record.ts'
import { COLUMNS, COMMANDS, FILES, PICTURE } from './session.ts'

const ROOT = join(import.meta.dirname, '../../..')
const SECRET = 'shindata'

/** Records the session of the README with a real agent, and draws it. */
const scratch = createScratch()
try {
  const home = createHome(scratch)
  const agent = await startAgent(
    scratch,
    { name: 'this', directory: ROOT },
    { home, env: { AGENT_SECRET: SECRET } },
  )
  const cwd = scratch.directory('work')
  for (const [name, content] of Object.entries(FILES))
    writeFileSync(join(cwd, name), content, { mode: 0o755 })
  const steps = await record(COMMANDS, {
    columns: COLUMNS,
    rows: 40,
    cwd,
    env: {
      PATH: `${join(ROOT, 'runtime')}:${process.env.PATH}`,
      HOME: scratch.directory('user'),
      LANG: 'C.UTF-8',
      NEWDT_HOST: agent.url,
      NEWDT_SECRET: SECRET,
    },
    deadlineMs: 60_000,
  })
  writeFileSync(join(ROOT, PICTURE), draw(steps, COLUMNS))
  process.stdout.write(
    `${steps.map(({ command, output }) => `$ ${command}\n${output.map(({ text }) => text).join('')}`).join('')}`,
  )
} finally {
  await scratch.remove()
}
