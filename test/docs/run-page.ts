import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createHome, type Home, ROOT, type RunningAgent, SECRET, startAgent } from '../support/agent.ts'
import { findByText } from '../support/proc.ts'
import { waitFor } from '../support/wait-for.ts'
import { type BashSession, startBash } from './bash-session.ts'
import { type Example, examplesOf } from './examples.ts'
import { findDifference } from './match-output.ts'
import { DeadlineError, type Outcome } from './outcome.ts'
import type { Page } from './parse-page.ts'
import { createPorts } from './ports.ts'
import { runProgram } from './run-program.ts'

/** Longer than any example should let a reader wait. */
export const EXAMPLE_DEADLINE_MS = 30_000

/** Runs the examples of a page against an agent of its own; what does not do as the page says. */
export const runPage = async (page: Page, deadlineMs = EXAMPLE_DEADLINE_MS): Promise<string[]> => {
  const examples = examplesOf(page)
  if (examples.length === 0) return []
  const home = createHome()
  const directories = createDirectories(home)
  const agent = await startAgent(home, { cwd: directories.cwd })
  const place = await createPlace(directories, agent)
  const bash = startBash(place)
  const failures: string[] = []
  try {
    for (const example of examples) {
      const failure = await runExample(example, { ...place, bash, deadlineMs })
      if (failure !== undefined) failures.push(`${page.path}:${failure}`)
    }
  } catch (error) {
    failures.push(`${page.path}:${(error as Error).message}`) // It is of no use to go on.
  } finally {
    await bash.end()
    await agent.end()
    await leaveNothing(home)
  }
  return failures
}

interface Directories {
  /** Where the examples run, and the jobs too: what they write must not get into the repository. */
  cwd: string
  /** The user's home, and a place for temporary files. */
  user: string
  temporary: string
  scratch: string
}

const createDirectories = ({ path }: Home): Directories => {
  const create = (name: string): string => {
    mkdirSync(join(path, name))
    return join(path, name)
  }
  return { cwd: create('work'), user: create('user'), temporary: create('tmp'), scratch: create('scratch') }
}

interface Place extends Directories {
  withPorts: Awaited<ReturnType<typeof createPorts>>
  env: Record<string, string>
}

/** As a user has it who has just started the agent. */
const createPlace = async (directories: Directories, agent: RunningAgent): Promise<Place> => {
  const { port } = new URL(agent.url)
  const env = {
    PATH: `${join(ROOT, 'runtime')}:${process.env.PATH}`,
    HOME: directories.user,
    AGENT_DATA_DIR: join(directories.user, 'data'),
    TMPDIR: directories.temporary,
    LANG: 'C.UTF-8',
    NEWDT_HOST: `http://127.0.0.1:${port}`,
    NEWDT_SECRET: SECRET,
  }
  return { ...directories, withPorts: await createPorts(port), env }
}

interface Running extends Place {
  bash: BashSession
  deadlineMs: number
}

/** What is wrong, beginning with the line of the page; undefined when nothing is. */
const runExample = async (example: Example, running: Running): Promise<string | undefined> => {
  const { withPorts } = running
  const outcome = await outcomeOf({ ...example, code: withPorts(example.code) }, running)
  const printed = outcome.output === '' ? 'It printed nothing.' : `It printed:\n${indent(outcome.output)}`
  const { line, shown, status } = example
  const difference = shown && findDifference(withPorts(shown.text), outcome.output)
  if (shown !== undefined && difference !== undefined) {
    return [
      `${line}: the example does not print what the page shows. In line ${shown.line + difference.line}`,
      `    expected: ${excerpt(difference.expected)}`,
      `    came:     ${excerpt(difference.came)}`,
      `  ${printed}`,
    ].join('\n')
  }
  if (outcome.status === status) return undefined
  return `${line}: the example exits with ${outcome.status} instead of ${status} (or begin it with "# exits with N"). ${printed}`
}

const outcomeOf = async ({ line, language, code }: Example, running: Running): Promise<Outcome> => {
  try {
    if (language === 'bash') return await running.bash.run(code, running.deadlineMs)
    if (language === 'python') return await runProgram(['python3', '-'], code, running)
    const node = [join(ROOT, 'runtime/node.sh'), '--input-type=module-typescript', '-'] as const
    return await runProgram([...node], code, { ...running, cwd: ROOT })
  } catch (error) {
    const sofar =
      error instanceof DeadlineError && error.output !== ''
        ? `; so far it printed:\n${indent(error.output)}`
        : ''
    throw new Error(`${line}: the example ${(error as Error).message}${sofar}`)
  }
}

const indent = (text: string): string => text.trimEnd().replace(/^/gm, '    | ')

const MOST_SHOWN = 100

const excerpt = (text: string): string => {
  if (text === '') return '(nothing more)'
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}[…]` : text
}

/** Examples may leave processes on purpose, and agents of their own. */
const leaveNothing = async (home: Home): Promise<void> => {
  await waitFor('every process of the examples is gone', () => {
    const left = findByText(home.path)
    for (const { pid } of left) kill(pid)
    return left.length === 0
  })
  home.remove()
}

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone by itself.
  }
}
