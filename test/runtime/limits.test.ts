import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LimitSupport } from '../../lib/process/types.ts'
import { readConfig } from '../../runtime/config.ts'
import { assertKept, tellLimits } from '../../runtime/limits.ts'
import { StartupError } from '../../runtime/startup-error.ts'
import { fakeSupport } from '../support/fake-processes.ts'
import { recordingLog } from '../support/recording-log.ts'

const SUPPORT: LimitSupport = {
  ...fakeSupport([], {}, { cpus: 'the cpu controller', memory: 'a cgroup' }).limitSupport(),
  processes: { by: 'prlimit' },
  openFiles: { by: 'prlimit', most: 4000 },
}

for (const [name, value, message] of [
  [
    'AGENT_DEFAULT_LIMITS',
    'nice=1,cpus=1',
    'AGENT_DEFAULT_LIMITS: cpus: this machine cannot keep it: the cpu',
  ],
  ['AGENT_MAX_LIMITS', 'memory=1gb', 'AGENT_MAX_LIMITS: memory: this machine cannot keep it: a cgroup'],
  ['AGENT_JOBS_MEMORY', '1gb', 'AGENT_JOBS_MEMORY: this machine cannot keep it: a cgroup'],
  ['AGENT_JOBS_CPUS', '1', 'AGENT_JOBS_CPUS: this machine cannot keep it: the cpu controller'],
  // What counts for each process does not count for all jobs together.
  [
    'AGENT_JOBS_PROCESSES',
    '9',
    'AGENT_JOBS_PROCESSES: this machine cannot keep it: there is no cgroup for it',
  ],
  [
    'AGENT_MAX_LIMITS',
    'openFiles=4001',
    'AGENT_MAX_LIMITS: openFiles: this machine cannot keep more than 4000',
  ],
] as const) {
  test(`an agent with ${name}=${value}, which its machine cannot keep, does not start`, () => {
    assert.throws(
      () => assertKept(readConfig({ [name]: value }), SUPPORT),
      (error: Error) => error instanceof StartupError && error.message.startsWith(message),
    )
  })
}

test('an agent whose limits can be kept, or that has none, starts', () => {
  assertKept(readConfig({}), SUPPORT)
  assertKept(readConfig({ AGENT_DEFAULT_LIMITS: 'nice=1,processes=9,openFiles=4000' }), SUPPORT)
})

test('a line of the log says what is kept and what is missing, and a warning when AGENT_RUN_AS is of no use', () => {
  const { log, lines } = recordingLog()
  const processes = { limitSupport: () => SUPPORT, userSupport: () => 'the agent is not root' }
  tellLimits(processes, readConfig({ AGENT_RUN_AS: 'deploy' }), log)
  tellLimits(processes, readConfig({}), log)
  assert.deepEqual(
    lines.map(({ level, message }) => [level, message]),
    [
      ['info', 'limits'],
      ['warn', 'AGENT_RUN_AS is set, but the agent cannot run jobs as another user'],
      ['info', 'limits'],
    ],
  )
  const { kept, missing } = lines[0]!.fields as { kept: object; missing: object }
  assert.deepEqual(missing, { memory: 'a cgroup', cpus: 'the cpu controller' })
  assert.deepEqual(Object.keys(kept).sort(), ['fileSize', 'ioWeight', 'nice', 'openFiles', 'processes'])
})
