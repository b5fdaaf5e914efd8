import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { createHome, ROOT, type RunningAgent, SECRET, startAgent } from '../support/agent.ts'
import { linksOf } from '../support/console-links.ts'
import {
  createClone,
  installPackage,
  linkModule,
  NO_COMPILE_CACHE,
  outsideOfNpm,
  packAndUnpack,
} from '../support/installed-package.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../support/nats-server.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { startFleetAgent } from '../support/start-fleet-agent.ts'

const run = promisify(execFile)

const home = createHome()
const directory = scratchDirectory()
const project = join(directory, 'project')
const modules = join(project, 'node_modules')
const installed = join(modules, 'newdt-auto')
let clone: string
let unpacked: string
let newdt: string
let agent: RunningAgent

describe('a package that npm has packed', () => {
  before(async () => {
    clone = createClone(directory)
    unpacked = await packAndUnpack(clone, directory)
    newdt = installPackage(unpacked, installed, modules)
    for (const name of ['@types/node', 'undici-types']) linkModule(name, modules)
    writeFileSync(join(project, 'package.json'), '{"type": "module"}')
  })

  /** Only what the launchers need: no Node but the one that they find. */
  const bareTools = (): string => {
    const tools = join(directory, 'tools')
    if (existsSync(tools)) return tools
    mkdirSync(tools)
    for (const name of ['dirname', 'readlink', 'cat']) {
      const path = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim()
      symlinkSync(path, join(tools, name))
    }
    return tools
  }

  const withBareTools = (file: string, args: string[], env: Record<string, string> = {}) => {
    const { status, stdout, stderr } = spawnSync(file, args, {
      env: { PATH: bareTools(), ...env },
      encoding: 'utf8',
    })
    return { status, stdout, stderr }
  }

  describe('as it is', () => {
    test('holds JavaScript, the launchers, the unit, and of declarations the client’s and a fleet’s alone', () => {
      assert.deepEqual(readdirSync(unpacked).sort(), [
        'LICENSE',
        'README.md',
        'dist',
        'package.json',
        'runtime',
      ])
      assert.deepEqual(readdirSync(join(unpacked, 'runtime')).sort(), ['newdt', 'node.sh', 'package'])
      assert.deepEqual(readdirSync(join(unpacked, 'runtime/package')), ['newdt-auto.service'])
      assert.deepEqual(
        globSync('**/*.ts', { cwd: unpacked }).filter(
          path => !/^dist\/lib\/(client|fleet)\/[\w/-]+\.d\.ts$/.test(path),
        ),
        [],
      )
    })

    test('holds each source, and what lies beside a source to be read at run time', () => {
      const sources = globSync('{handlers,lib,runtime}/**/*.*', { cwd: ROOT })
      assert.ok(sources.length > 150)
      const expected = sources
        .filter(path => !/^runtime\/(package\/|node\.sh$|console\/tsconfig\.json$)|\.d\.ts$/.test(path))
        .map(path => path.replace(/\.ts$/, '.js'))
      const missing = expected.filter(path => !existsSync(join(unpacked, 'dist', path)))
      assert.deepEqual(missing, [])
    })

    test('leaves nothing in the clone that it was made of, and a dist that is there is not what runs', () => {
      assert.ok(!existsSync(join(clone, 'dist')))
      const stale = join(clone, 'dist/runtime')
      mkdirSync(join(stale, 'cli'), { recursive: true })
      for (const name of ['main.js', 'cli/main.js']) writeFileSync(join(stale, name), "console.log('stale')")
      for (const args of [['--help'], ['agent', '--version']]) {
        const { status, stdout, stderr } = withBareTools(join(clone, 'runtime/newdt'), args, NO_COMPILE_CACHE)
        assert.deepEqual([status, stderr], [0, ''])
        assert.doesNotMatch(stdout, /stale/)
      }
    })
  })

  describe('when it is installed', () => {
    test('has newdt, with its help', () => {
      const { status, stdout, stderr } = withBareTools(newdt, ['--help'])
      assert.deepEqual([status, stderr], [0, ''])
      assert.match(stdout, /^Usage:/)
    })

    // npm install -g; npx, or a project's dependency; a dependency of another that could not be hoisted.
    for (const [where, path, dependencies] of [
      ['its own node_modules', 'g/lib/node_modules/newdt-auto', 'g/lib/node_modules/newdt-auto/node_modules'],
      ['the node_modules beside it', 'n/node_modules/newdt-auto', 'n/node_modules'],
      ['one further up', 'u/node_modules/@a/b/node_modules/newdt-auto', 'u/node_modules'],
    ] as const) {
      test(`runs on the Node that is in ${where}, and keeps what is compiled there`, () => {
        const link = installPackage(unpacked, join(directory, path), join(directory, dependencies))
        const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
        assert.deepEqual(withBareTools(link, ['agent', '--version']), {
          status: 0,
          stdout: `newdt-auto ${version}, Node ${process.versions.node}\n`,
          stderr: '',
        })
        assert.ok(existsSync(join(directory, dependencies, '.cache/newdt-auto')))
      })
    }

    test('installs without a word, also where there is no Node that it could run on', () => {
      const { postinstall } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')).scripts
      for (const cwd of [installed, unpacked]) {
        const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', postinstall], {
          cwd,
          env: { PATH: bareTools() },
          encoding: 'utf8',
        })
        assert.deepEqual([status, stdout, stderr], [0, '', ''])
      }
      assert.ok(existsSync(join(modules, '.cache/newdt-auto')))
    })
  })

  describe('newdt-auto/client, while the agent of the package runs', () => {
    before(async () => {
      agent = await startAgent(home, { command: [newdt, 'agent'] })
    })
    after(async () => {
      await agent.end()
      await home.assertClean()
    })

    test('the agent is started from JavaScript, on the Node that was installed with it', () => {
      assert.equal(agent.pid, agent.child.pid)
      const shown = readFileSync(`/proc/${agent.pid}/cmdline`, 'latin1').split('\0')
      assert.ok(shown.includes(join(realpathSync(installed), 'dist/runtime/main.js')), shown.join(' '))
      assert.equal(readlinkSync(`/proc/${agent.pid}/exe`), realpathSync(process.execPath))
    })

    test('runs a job from plain Node, and follows it; the guardian watches over it', async () => {
      const program = join(project, 'program.js')
      writeFileSync(program, PROGRAM)
      const { stdout } = await run(process.execPath, [program, agent.url, SECRET], { env: outsideOfNpm() })
      assert.deepEqual(JSON.parse(stdout), {
        job: ['failed', 3, 'hello\n', 'oops\n'],
        events: ['start', 'stdout', 'end'],
        guardian: 'running',
      })
    })

    test('beside it newdt runs a job', async () => {
      const { status, stdout, stderr } = withBareTools(newdt, ['run', '--', 'echo hello; exit 3'], {
        HOME: directory,
        NEWDT_HOST: agent.url,
        NEWDT_SECRET: SECRET,
      })
      assert.deepEqual([status, stdout, stderr], [3, 'hello\n', ''])
    })

    test('beside it the console is there, whole', async () => {
      const page = await fetch(`${agent.url}/`)
      const links = linksOf(await page.text())
      assert.ok(links.length > 30)
      for (const link of links) assert.equal((await fetch(new URL(link, page.url))).status, 200, link)
    })

    test('is all that can be imported', async () => {
      const program = `
      import manifest from 'newdt-auto/package.json' with { type: 'json' }
      const deep = ['', '/client.js', '/dist/lib/client/client.js', '/dist/lib/client/md5.js', '/dist/runtime/config.js']
      const codes = deep.map(path => import('newdt-auto' + path).catch(error => error.code))
      console.log(JSON.stringify([manifest.name, ...new Set(await Promise.all(codes))]))`
      writeFileSync(join(project, 'deep.js'), program)
      const { stdout } = await run(process.execPath, [join(project, 'deep.js')], { env: outsideOfNpm() })
      assert.deepEqual(JSON.parse(stdout), ['newdt-auto', 'ERR_PACKAGE_PATH_NOT_EXPORTED'])
    })

    test('imports nothing but its own files, and runs where there is only what a browser has', async () => {
      const fixture = join(ROOT, 'test/fixtures/run-as-in-a-browser.ts')
      const client = join(installed, 'dist/lib/client/client.js')
      const { stdout } = await run(
        process.execPath,
        ['--experimental-vm-modules', '--no-warnings', fixture, client, agent.url, SECRET],
        { env: outsideOfNpm() },
      )
      assert.equal(stdout, 'from a browser\n')
    })

    test('has declarations that name nothing but each other', () => {
      for (const name of globSync('dist/lib/client/*.d.ts', { cwd: installed })) {
        const text = readFileSync(join(installed, name), 'utf8')
        for (const [, imported] of text.matchAll(/^(?:import|export)\b.*from ['"](.*)['"];$/gm)) {
          assert.match(imported!, /^\.\/[\w-]+\.js$/, name)
        }
        assert.doesNotMatch(text, /\bimport\(|\bzod\b|\bNodeJS\b|\bBuffer\b|<reference/, name)
      }
    })

    const BROWSER = { lib: ['esnext', 'dom', 'dom.iterable'], types: [] }
    for (const [where, options] of [
      ['a bundler, for browsers', { module: 'esnext', moduleResolution: 'bundler', ...BROWSER }],
      ['nodenext, for browsers', { module: 'nodenext', ...BROWSER }],
      ['nodenext, for Node', { module: 'nodenext', lib: ['esnext'], types: ['node'] }],
    ] as const) {
      test(`compiles in a strict program with ${where}, its declarations checked`, async () => {
        const compilerOptions = {
          ...options,
          target: 'esnext',
          strict: true,
          skipLibCheck: false,
          noEmit: true,
        }
        const config = join(project, `tsconfig.${where.replace(/\W+/g, '-')}.json`)
        writeFileSync(config, JSON.stringify({ compilerOptions, files: ['program.ts'] }))
        writeFileSync(join(project, 'program.ts'), TYPED_PROGRAM)
        const { status, stdout } = spawnSync(process.execPath, [TSC, '-p', config], { encoding: 'utf8' })
        assert.deepEqual([status, stdout], [0, ''])
      })
    }
  })

  describe('newdt-auto/fleet, on an engine with an agent of the package', NATS_TEST, () => {
    let engine: NatsServer
    before(async () => {
      engine = await startNatsServer()
      const env = { AGENT_LABELS: 'role=db' }
      agent = await startFleetAgent(engine, 'db1', { home, command: [newdt, 'agent'], env })
    })
    after(async () => {
      await agent.end()
      await engine[Symbol.asyncDispose]()
      await home.assertClean()
    })

    test('finds hosts, runs on one, on any and by the queue, and lets the program end', async () => {
      const program = join(project, 'fleet.js')
      writeFileSync(program, FLEET_PROGRAM)
      const { stdout } = await run(process.execPath, [program, engine.url, SECRET], { env: outsideOfNpm() })
      assert.deepEqual(JSON.parse(stdout), {
        hosts: [['db1', { role: 'db' }]],
        none: [],
        run: 'one\n',
        any: ['db1', 'two\n'],
        noRoom: 'no-room',
        queued: ['ended', 'db1', 3],
        refused: ['TypeError', 'TypeError'],
      })
    })

    test('compiles in a strict program, its declarations checked', () => {
      const options = {
        module: 'nodenext',
        target: 'esnext',
        strict: true,
        skipLibCheck: false,
        noEmit: true,
      }
      const compilerOptions = { ...options, lib: ['esnext'], types: ['node'] }
      const config = join(project, 'tsconfig.fleet.json')
      writeFileSync(config, JSON.stringify({ compilerOptions, files: ['fleet.ts'] }))
      writeFileSync(join(project, 'fleet.ts'), TYPED_FLEET_PROGRAM)
      const { status, stdout } = spawnSync(process.execPath, [TSC, '-p', config], { encoding: 'utf8' })
      assert.deepEqual([status, stdout], [0, ''])
    })
  })
})

const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')

const PROGRAM = `
import { connect } from 'newdt-auto/client'

const [url, secret] = process.argv.slice(2)
const agent = connect(url, { credentials: { secret } })
const run = await agent.run({ cmd: 'echo hello; echo oops >&2; exit 3' })
if (!run.ok) throw run.error
const submitted = await agent.submit({ cmd: 'echo hello' })
if (!submitted.ok) throw submitted.error
const events = []
for await (const { type } of submitted.value.events()) events.push(type)
const status = await agent.status()
const { state, exitCode, stdout, stderr } = run.value
console.log(JSON.stringify({ job: [state, exitCode, stdout, stderr], events, guardian: status.value.guardian.state }))
`

const FLEET_PROGRAM = `
import { connect } from '@nats-io/transport-node'
import { connectFleet } from 'newdt-auto/fleet'

const [servers, secret] = process.argv.slice(2)
const connection = await connect({ servers })
const fleet = connectFleet(connection, { credentials: { secret } })
const valueOf = ({ ok, value, error }) => {
  if (!ok) throw error
  return value
}
const run = valueOf(await fleet.agent('db1').run({ cmd: 'echo one' }))
const { host, job } = valueOf(await fleet.any('role=db').submit({ cmd: 'echo two' }))
const any = valueOf(await job.wait())
const { error: noRoom } = await fleet.any('role=none').submit({ cmd: 'true' })
const label = { name: 'role', value: 'db' }
const { id } = valueOf(await fleet.queue.submit({ cmd: 'exit 3' }, { label }))
const queued = valueOf(await fleet.queue.wait(id))
const refused = [{ token: 't' }, { secret, signature: 'contract' }].map(credentials => {
  try {
    return connectFleet(connection, { credentials })
  } catch (error) {
    return error.name
  }
})
console.log(JSON.stringify({
  hosts: (await fleet.hosts(['role=db'])).map(({ name, labels }) => [name, labels]),
  none: await fleet.hosts(['role=none']),
  run: run.stdout,
  any: [host, any.stdout],
  noRoom: noRoom.word,
  queued: [queued.state, queued.runs[0].host, queued.runs[0].end.exitCode],
  refused,
}))
await connection.close()
`

const TYPED_FLEET_PROGRAM = `
import { connect } from '@nats-io/transport-node'
import { connectFleet, type Fleet, type FleetHost, type Job, type QueuedJob, type Result } from 'newdt-auto/fleet'

export const program = async (): Promise<unknown> => {
  const fleet: Fleet = connectFleet(await connect(), { credentials: { secret: 's' }, patienceMs: 1000 })
  // @ts-expect-error
  connectFleet(await connect(), {})
  const hosts: FleetHost[] = await fleet.hosts(['role=db'])
  // @ts-expect-error
  const name: number = hosts[0]!.name
  const run: Result<Job> = await fleet.agent('db1').run({ cmd: 'true' })
  // @ts-expect-error
  await fleet.any('role=db').submit({ command: 'true' })
  const queued: Result<QueuedJob> = await fleet.queue.show('id-of-the-job')
  return [name, run.ok && run.value.state, queued.ok && queued.value.runs[0]?.host]
}
`

/** What is wrong in it must be known to be wrong: types that could not be found would be \`any\`. */
const TYPED_PROGRAM = `
import { type Agent, ClientError, connect, type Credentials, type Job, type JobEvent } from 'newdt-auto/client'
import type { CommandRequest, JobHandle, JobProcess, JobQuery, ListedJob, Result, ScriptRequest } from 'newdt-auto/client'

const credentials: Credentials = { secret: 'shindata', signature: 'contract' }
const client = connect('http://127.0.0.1:8080', { credentials, language: 'zh', patienceMs: 1000 })
const request: CommandRequest = { cmd: 'true', timeout: '30s', env: { A: 'a' }, outputLimit: '1mb', leftovers: 'kill' }
const script: ScriptRequest = { scriptName: 'x.sh', scriptContent: 'true', scriptType: 'shell' }
const query: JobQuery = { state: 'failed', since: '1h', limit: 10 }
// @ts-expect-error
const unknownField: CommandRequest = { command: 'true' }
// @ts-expect-error
const unknownType: ScriptRequest = { ...script, scriptType: 'perl' }
// @ts-expect-error
const unknownParameter: JobQuery = { after: 'x' }

const told = (event: JobEvent): number | null => (event.type === 'dropped' ? event.bytes : 'seq' in event ? event.bytes.length : event.job.pid)

export const program = async (): Promise<unknown> => {
  const run: Result<Job> = await client.run(request)
  if (!run.ok) return run.error instanceof ClientError && run.error.word.length
  const state: 'running' | 'success' | 'failed' | 'canceled' | 'rejected' = run.value.state
  const seconds: number = run.value.cpu.user
  // @ts-expect-error
  const exitCode: string = run.value.exitCode
  const submitted: Result<JobHandle> = await client.submit(script)
  const listed: Result<ListedJob[]> = await client.list(query)
  const status: Result<Agent> = await client.status()
  if (!submitted.ok || !listed.ok || !status.ok) return
  const isCut: boolean | undefined = listed.value[0]?.cmdTruncated
  const rights: ('read' | 'run' | 'admin')[] = status.value.caller.rights
  // @ts-expect-error
  const right: 'write' | undefined = status.value.caller.rights[0]
  for await (const event of submitted.value.events({ after: 1 })) told(event)
  const reader: ReadableStreamDefaultReader<Uint8Array> = submitted.value.stdout().getReader()
  const processes: Result<JobProcess[]> = await submitted.value.processes()
  return [state, seconds, exitCode, isCut, rights, right, reader, processes, unknownField, unknownType, unknownParameter]
}
`
