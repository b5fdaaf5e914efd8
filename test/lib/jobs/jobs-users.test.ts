import assert from 'node:assert/strict'
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { JobsOptions } from '../../../lib/jobs/jobs.ts'
import type { Account, Processes, StartSpec } from '../../../lib/process/types.ts'
import type { Caller, RunBounds } from '../../../lib/security/caller.ts'
import { fakeSupport } from '../../support/fake-processes.ts'
import { createTestJobs, requestOf, SOMEBODY, script } from '../../support/jobs.ts'
import { linuxProcesses } from '../../support/linux-processes.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const home = realpathSync(scratchDirectory())
const DEPLOY: Account = {
  name: 'deploy',
  // Only root can give a script away.
  uid: process.getuid!() === 0 ? 65_534 : process.getuid!(),
  gid: process.getgid!(),
  groups: [process.getgid!(), 33],
  home,
  shell: '/usr/sbin/nologin',
}

const withBounds = (bounds: RunBounds): Caller => ({ ...SOMEBODY, bounds })

/** Jobs on real processes that all run as this very user, whatever was asked for; and what they were started with. */
const usersJobs = (t: TestContext, given: Partial<JobsOptions> = {}, replaced: Partial<Processes> = {}) => {
  const support = fakeSupport([DEPLOY], { 'www-data': 33 }, { cpus: 'the cpu controller' })
  const real = linuxProcesses()
  const specs: StartSpec[] = []
  const processes: Processes = {
    ...real,
    ...support,
    start(spec) {
      specs.push(spec)
      // Who has no directory goes home.
      const cwd = spec.cwd ?? spec.account?.home
      return real.start({ ...spec, cwd, account: undefined, limits: undefined })
    },
    ...replaced,
  }
  const env = { PATH: process.env.PATH ?? '', LANG: 'C', SECRET_OF_AGENT: 'x' }
  const agent = createTestJobs({ processes, env, runAs: ['deploy'], ...given })
  t.after(agent.close)
  return { ...agent, specs, asked: support.asked }
}

test('a job of a user runs with his environment and none of the agent’s, at home, and says whose it is', async t => {
  const { run, specs, lines, jobs } = usersJobs(t)
  const cmd = 'echo "$HOME $USER $LOGNAME $SHELL $LANG $MINE:$SECRET_OF_AGENT"; pwd'
  const job = await run({ cmd, user: 'deploy:www-data', env: { MINE: 'yes' } })
  assert.equal(job.stdout, `${home} deploy deploy /bin/bash C yes:\n${home}\n`)
  assert.equal(job.user, 'deploy:www-data')
  assert.deepEqual([specs[0]!.account?.name, specs[0]!.account?.gid], ['deploy', 33])
  const started = lines.find(({ message }) => message === 'job started')
  assert.equal(started?.fields.user, 'deploy:www-data')
  const [listed] = await jobs.list({ limit: 1 })
  assert.equal(listed?.user, 'deploy:www-data')
})

test('a directory that was asked for comes before home, and all jobs of users share one environment', async t => {
  const { run, specs } = usersJobs(t)
  assert.equal((await run({ cmd: 'pwd', user: 'deploy', cwd: '/' })).stdout, '/\n')
  await run({ cmd: 'true', user: 'deploy' })
  const plain = await run({ cmd: 'echo $SECRET_OF_AGENT' })
  assert.equal(plain.stdout, 'x\n')
  assert.equal(specs[0]!.env, specs[1]!.env)
  assert.notEqual(specs[0]!.env, specs[2]!.env)
})

test('the script of a user is given to him', async t => {
  const agent = usersJobs(t)
  const content = 'stat -c "%u %g %a" "$0"'
  const job = await agent.run({ script: script(content), user: 'deploy' })
  assert.equal(job.stdout, `${DEPLOY.uid} ${DEPLOY.gid} 700\n`)
  assert.deepEqual(agent.scripts(), [])
})

test('a key with one user runs as him without saying so; what is recorded says so', async t => {
  const { service, specs } = usersJobs(t)
  const recorded: unknown[] = []
  const record = async (...args: unknown[]) => void recorded.push(args)
  const { id } = await service.submit(requestOf({ cmd: 'true' }), withBounds({ users: ['deploy'] }), {
    record,
  })
  assert.equal(specs[0]!.account?.name, 'deploy')
  const plain = await service.submit(requestOf({ cmd: 'true' }), SOMEBODY, { record })
  assert.deepEqual(recorded, [
    [id, 'deploy'],
    [plain.id, ''],
  ])
})

test('a refused user takes no slot, and leaves no job', async t => {
  const { service, jobs, slots, asked } = usersJobs(t)
  const refused = (user: string | undefined, bounds: RunBounds, code: string) =>
    assert.rejects(service.submit(requestOf({ cmd: 'true', user }), withBounds(bounds)), { code })
  await refused('root', {}, 'user-not-allowed')
  await refused('root', { users: ['deploy'] }, 'out-of-bounds')
  await refused(undefined, { users: ['deploy', 'app'] }, 'out-of-bounds')
  assert.deepEqual(asked, [])
  await refused('deploy:none', {}, 'user-not-allowed')
  assert.equal(slots.used(), 0)
  assert.deepEqual(await jobs.list({ limit: 9 }), [])
})

test('where a key has directories, home must be in one of them unless another is asked for', async t => {
  const { service, specs } = usersJobs(t)
  const submit = (cwd: string | undefined, allowed: string) =>
    service.submit(requestOf({ cmd: 'true', user: 'deploy', cwd }), withBounds({ cwd: [allowed] }))
  mkdirSync(join(home, 'app'))
  await submit(undefined, home)
  await assert.rejects(submit(undefined, join(home, 'app')), { code: 'out-of-bounds' })
  await submit(join(home, 'app'), home)
  assert.deepEqual(
    specs.map(({ cwd }) => (typeof cwd === 'object' ? cwd.path : cwd)),
    [home, join(home, 'app')],
  )
})

test('a key with commands may run them as its user, who goes home', async t => {
  const { service, specs } = usersJobs(t)
  const bounds = { commands: ['pwd'], users: ['deploy'] }
  await service.submit(requestOf({ cmd: 'pwd' }), withBounds(bounds))
  assert.deepEqual([specs[0]!.cwd, specs[0]!.account?.home], [undefined, home])
})

test('a job has the limits it asks for, the defaults and the most of the agent, and is started with them', async t => {
  const limits = { defaults: { memory: 64 << 20, nice: 5 }, most: { memory: 128 << 20, processes: 50 } }
  const { run, specs, service } = usersJobs(t, { limits })
  const job = await run({ cmd: 'true', limits: { memory: 100 << 20, openFiles: 64 } })
  const expected = { memory: 100 << 20, processes: 50, openFiles: 64, nice: 5 }
  assert.deepEqual(job.limits, expected)
  assert.deepEqual(specs[0]!.limits, expected)
  const refused = (asked: object, code: string, details: object) =>
    assert.rejects(service.submit(requestOf({ cmd: 'true', limits: asked }), SOMEBODY), { code, details })
  await refused({ memory: 129 << 20 }, 'limit-too-high', { field: 'limits.memory', most: '128mb' })
  await refused({ cpus: 1 }, 'limit-unsupported', { field: 'limits.cpus', missing: 'the cpu controller' })
})

test('what a running job uses is looked for only when somebody asks for it', async t => {
  let looks = 0
  const usage = async () => {
    looks++
    return { cpu: 1, memory: 2, peakMemory: 3, peakProcesses: 4, readBytes: 5, writtenBytes: 6 }
  }
  const { start, service, jobs } = usersJobs(t, {}, { usage })
  const job = service.open(await start({ cmd: 'exec sleep 1000' }))!
  assert.equal((await job.now())?.usageNow, undefined)
  assert.equal((await jobs.list({ limit: 1 }))[0]?.usage.memory, null)
  assert.equal(looks, 0)
  assert.equal((await job.now({ usage: true }))?.usageNow?.memory, 2)
  await service.cancel(job.id, SOMEBODY, 0)
  assert.equal((await job.now({ usage: true }))?.usageNow, undefined)
  assert.equal(looks, 1)
  job.close()
})

test('noNewPrivileges is refused by name where the machine cannot keep it', async t => {
  const { service } = usersJobs(t, {}, { noNewPrivilegesSupport: () => 'no setpriv' })
  await assert.rejects(service.submit(requestOf({ cmd: 'true', noNewPrivileges: true }), SOMEBODY), {
    code: 'limit-unsupported',
    details: { field: 'noNewPrivileges', missing: 'no setpriv' },
  })
})
