import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import packageJson from '../../package.json' with { type: 'json' }
import { createHome, ROOT, type RunningAgent, sign, startAgent } from '../support/agent.ts'
import { openApi } from '../support/answer-schemas.ts'

const run = promisify(execFile)

/** What somebody writes who has nothing but the generated client. */
const PROGRAM = `
import { defaults, executeCommand, listJobs } from './client.ts'

const [baseUrl, sign, signAt] = process.argv.slice(2) as [string, string, string]
defaults.baseUrl = baseUrl
defaults.headers = { sign, signAt }

// @ts-expect-error: there is no command without a command line.
const wrong = await executeCommand({})
if (wrong.status !== 400) throw new Error(String(wrong.status))

const ran = await executeCommand({ cmd: 'echo generated; exit 3', labels: { by: 'generator' } })
const job = ran.status === 200 ? ran.data.data : null
if (!job) throw new Error(String(ran.status))
const state: 'running' | 'success' | 'failed' | 'canceled' | 'rejected' = job.state
const listed = await listJobs({ state: ['failed', 'canceled'], label: ['by=generator'], limit: 1 })
if (listed.status !== 200 || !listed.data.data) throw new Error(String(listed.status))
console.log(JSON.stringify([wrong.data.error, state, job.exitCode, job.stdout, listed.data.data.map(({ id }) => id === job.id)]))
`

const SETTINGS = {
  compilerOptions: {
    target: 'esnext',
    module: 'nodenext',
    lib: ['esnext', 'dom'],
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
  },
  include: ['*.ts'],
}

describe('the document of a real agent', () => {
  const home = createHome()
  const project = join(home.path, 'project')
  let agent: RunningAgent

  before(async () => {
    agent = await startAgent(home)
  })
  after(async () => {
    await agent.end()
    await home.assertClean()
    home.remove()
  })

  test('is that of its route table, with its version', async () => {
    const document = (await (await agent.fetch('/openapi.json')).json()) as { info: object }
    assert.deepEqual(document, { ...openApi, info: { ...document.info, version: packageJson.version } })
  })

  test('gives a generator a client that compiles and runs a job', async () => {
    mkdirSync(project)
    symlinkSync(join(ROOT, 'node_modules'), join(project, 'node_modules'))
    writeFileSync(join(project, 'openapi.json'), await (await agent.fetch('/openapi.json')).text())
    writeFileSync(join(project, 'package.json'), '{"type": "module"}')
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(SETTINGS))
    writeFileSync(join(project, 'program.ts'), PROGRAM)
    const node = (...args: string[]) => run(process.execPath, args, { cwd: project })
    await node('node_modules/oazapfts/dist/cli.js', 'openapi.json', 'client.ts')
    await node('node_modules/typescript/bin/tsc', '-p', '.').catch(({ stdout }) => assert.fail(stdout))
    const { sign: signature, signAt } = sign()
    const { stdout } = await node('program.ts', agent.url, signature, signAt)
    assert.deepEqual(JSON.parse(stdout), ['invalid-request', 'failed', 3, 'generated\n', [true]])
  })
})
