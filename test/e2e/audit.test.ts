import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { AuditEntry } from '../../lib/security/audit-line.ts'
import { verifyAudit } from '../../lib/security/audit-verify.ts'
import { hashToken } from '../../lib/security/keys.ts'
import { createHome, type Home, type RunningAgent, startAgent } from '../support/agent.ts'
import { createFailingDisk } from '../support/failing-disk.ts'
import { waitFor } from '../support/wait-for.ts'

const TOKEN = 'nda_token-of-alice-0123456789'
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

const trailOf = (home: Home): AuditEntry[] =>
  readFileSync(join(home.data, 'audit.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))

const shown = ({ action, outcome, caller, client, job, sha256, detail, count }: AuditEntry) =>
  JSON.parse(JSON.stringify({ action, outcome, caller, client, job, sha256, detail, count }))

const fileOf = (home: Home): string => readFileSync(join(home.data, 'audit.jsonl'), 'utf8')

const byToken = (agent: RunningAgent, path: string, token: string, init: RequestInit = {}) =>
  fetch(agent.url + path, { ...init, headers: { Authorization: `Bearer ${token}`, ...init.headers } })

describe('the audit trail', () => {
  const home = createHome()
  const keysFile = join(home.path, 'keys.json')
  const writeKeys = (...keys: object[]): void =>
    writeFileSync(keysFile, JSON.stringify({ keys }), { mode: 0o600 })
  const alice = { id: 'alice', rights: ['read'], token: hashToken(TOKEN) }

  test('tells who has asked for what, and what came of it', async () => {
    writeKeys(alice)
    const agent = await startAgent(home, { env: { AGENT_KEYS_FILE: keysFile, AGENT_MAX_RUNNING: '1' } })
    const who = { caller: 'default', client: '127.0.0.1' }
    const keyed = { 'Idempotency-Key': 'once' }
    const ran = await agent.execute({ cmd: 'echo', params: 'secret-param-1' }, keyed)
    await agent.execute({ cmd: 'echo', params: 'secret-param-1' }, keyed)
    const script = { scriptName: 'x.sh', scriptType: 'shell', scriptContent: 'true # secret-script' }
    const second = await agent.execute(script)
    const slow = await agent.execute({ cmd: 'exec sleep 1000', async: true })
    const rejected = await agent.fetch('/api/jobs/execute/cmd', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ cmd: 'true' }),
    })
    const { id: rejectedId } = (await rejected.json()) as { id: string }
    await agent.call(`/api/jobs/${slow.id}/signal`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"signal":"CONT"}',
    })
    await byToken(agent, `/api/jobs/${slow.id}/cancel`, TOKEN, { method: 'POST' })
    await agent.call(`/api/jobs/${slow.id}/cancel`, { method: 'POST' })
    await agent.call(`/api/jobs/${slow.id}/cancel`, { method: 'POST' })
    await byToken(agent, '/api/jobs', `${TOKEN}x`)
    await byToken(agent, '/api/jobs', TOKEN)
    writeKeys(alice, { ...alice, id: 'bob', token: hashToken('bob') })
    const last = () => trailOf(home).at(-1)!
    await waitFor('bob is there', () => last().action === 'keys')
    writeFileSync(keysFile, '{', { mode: 0o600 })
    await waitFor('the fault is told', () => last().outcome === 'faulty')
    await agent.call('/api/agent/drain', { method: 'POST' })
    assert.equal((await agent.ended).code, 0)
    const submit = { action: 'submit', outcome: 'accepted', ...who }
    const echo = hashOf('echo secret-param-1')
    assert.deepEqual(trailOf(home).map(shown), [
      { action: 'agent', outcome: 'started', detail: '0.1.0' },
      { ...submit, job: ran.id, sha256: echo },
      { ...submit, job: ran.id, sha256: echo, outcome: 'repeated' },
      { ...submit, job: second.id, sha256: hashOf(script.scriptContent) },
      { ...submit, job: slow.id, sha256: hashOf('exec sleep 1000') },
      { ...submit, job: rejectedId, sha256: hashOf('true'), outcome: 'rejected' },
      { action: 'signal', outcome: 'begun', ...who, job: slow.id, detail: 'SIGCONT' },
      { action: 'signal', outcome: 'done', ...who, job: slow.id, detail: 'SIGCONT' },
      { action: 'cancel', outcome: 'forbidden', ...who, caller: 'alice', job: slow.id },
      { action: 'cancel', outcome: 'begun', ...who, job: slow.id },
      { action: 'cancel', outcome: 'done', ...who, job: slow.id },
      { action: 'cancel', outcome: 'job-ended', ...who, job: slow.id },
      { action: 'authenticate', outcome: 'token-wrong', client: '127.0.0.1' },
      { action: 'keys', outcome: 'changed', detail: 'default alice bob' },
      { action: 'keys', outcome: 'faulty', detail: 'it is not JSON' },
      { action: 'drain', outcome: 'begun', ...who },
      { action: 'drain', outcome: 'done', ...who },
      { action: 'agent', outcome: 'stopped' },
    ])
    assert.ok(!readFileSync(join(home.data, 'audit.jsonl'), 'utf8').includes('secret-'))
    assert.equal((await verifyAudit(home.data)).fault, undefined)
  })

  test('nobody can flood it with what is refused, and the text of that is never in it', async () => {
    const bounded = {
      id: 'bounded',
      rights: ['read', 'run'],
      token: hashToken('bounded'),
      commands: ['exec sleep 1000'],
    }
    writeKeys(alice, bounded)
    const agent = await startAgent(home, {
      env: { AGENT_KEYS_FILE: keysFile, AGENT_MAX_RUNNING: '1', AGENT_AUDIT_COMMANDS: 'true' },
    })
    const before = fileOf(home).length
    const ask = async (path: string, token: string, body: object, headers: Record<string, string> = {}) => {
      const response = await byToken(agent, path, token, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
      return { status: response.status, body: (await response.json()) as { data: { id: string } } }
    }
    const command = '/api/jobs/execute/cmd'
    const keyed = { 'Idempotency-Key': 'again' }
    const sleeper = { cmd: bounded.commands[0], async: true }
    const { data } = (await ask(command, 'bounded', sleeper, keyed)).body
    const statuses = new Set<number>()
    for (let n = 0; n < 50; n++) {
      const answers = await Promise.all([
        ask(command, 'bounded', { cmd: `refused-text ${'x'.repeat(50_000)}` }),
        ask(command, 'bounded', { cmd: bounded.commands[0], stdin: 'refused-text' }),
        ask(command, 'bounded', sleeper, keyed),
        ask(command, TOKEN, { cmd: 'refused-text' }),
        ask(`/api/jobs/${data.id}/signal`, 'bounded', { signal: 'CONT' }),
        ask(`/api/jobs/${'x'.repeat(n + 1)}/cancel`, TOKEN, {}),
        ask(`/api/jobs/${'x'.repeat(n + 1)}/cancel`, 'bounded', {}),
      ])
      for (const { status } of answers) statuses.add(status)
    }
    assert.deepEqual([...statuses].sort(), [200, 403, 404, 429])
    const added = fileOf(home).slice(before)
    assert.ok(added.length < 20_000, `${added.length} bytes`)
    assert.ok(!added.includes('refused-text'))
    await agent.call(`/api/jobs/${data.id}/cancel`, { method: 'POST' })
    await agent.end()
    const counts: Record<string, number> = {}
    for (const { action, outcome, caller, count = 1 } of trailOf(home)) {
      const name = `${caller} ${action} ${outcome}`
      if (caller === 'bounded' || outcome === 'forbidden') counts[name] = (counts[name] ?? 0) + count
    }
    assert.deepEqual(counts, {
      'alice cancel forbidden': 51, // One is the test's before.
      'alice submit forbidden': 50,
      'bounded submit accepted': 1,
      'bounded submit out-of-bounds': 50,
      'bounded submit rejected': 50,
      'bounded submit repeated': 50,
      'bounded signal begun': 50,
      'bounded signal done': 50,
      'bounded cancel unknown-job': 50,
    })
    assert.equal((await verifyAudit(home.data)).fault, undefined)
  })

  test('whoever has a whole IPv6 network has no line for each of its addresses', async () => {
    const agent = await startAgent(home, { env: { AGENT_TRUSTED_PROXIES: '127.0.0.1' } })
    for (let n = 1; n <= 10; n++) {
      await byToken(agent, '/api/jobs', 'wrong', { headers: { 'X-Forwarded-For': `2001:db8::${n}` } })
    }
    await agent.end()
    const lines = trailOf(home).map(shown)
    const started = lines.findLastIndex(({ outcome }) => outcome === 'started')
    assert.deepEqual(lines.slice(started + 1, -1), [
      { action: 'authenticate', outcome: lines[started + 1].outcome, client: '2001:db8::1' },
      { action: 'authenticate', outcome: lines[started + 1].outcome, count: 9 },
    ])
  })

  test('proves against a copy what has run: all that was sent, and the standard input', async () => {
    const agent = await startAgent(home, { env: { AGENT_AUDIT_COMMANDS: 'true' } })
    const body = JSON.stringify({
      cmd: 'bash',
      stdin: 'echo "$SECRET" # secret-stdin',
      env: { SECRET: 'secret-value', EMPTY: '' },
      cwd: '/tmp',
    })
    const headers = { 'Content-Type': 'application/json' }
    const { data } = await agent.call('/api/jobs/execute/cmd', { method: 'POST', headers, body })
    assert.equal((data as { stdout: string }).stdout, 'secret-value\n')
    const python = JSON.stringify({ scriptName: 'x', scriptType: 'python', scriptContent: 'print(1)' })
    await agent.call('/api/jobs/execute/script', { method: 'POST', headers, body: python })
    await agent.end()
    const [command, script] = trailOf(home).slice(-3)
    assert.equal(command!.bodySha256, hashOf(body))
    assert.equal(command!.stdinSha256, hashOf('echo "$SECRET" # secret-stdin'))
    assert.deepEqual([command!.command, command!.cwd, command!.env], ['bash', '/tmp', 'SECRET EMPTY'])
    assert.deepEqual([script!.bodySha256, script!.stdinSha256], [hashOf(python), undefined])
    assert.equal(script!.scriptType, 'python')
    assert.ok(!fileOf(home).includes('secret-'))
  })

  test('tells of a cancel before the job is stopped, though the agent be killed meanwhile', async () => {
    const agent = await startAgent(home)
    const { id } = await agent.execute({
      cmd: 'trap "echo got it" TERM; while :; do sleep 0.1; done',
      async: true,
    })
    const canceled = agent.call(`/api/jobs/${id}/cancel`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{"grace":"1h"}',
    })
    canceled.catch(() => {}) // It never gets an answer.
    await waitFor('the job has its signal', async () => {
      const { data } = await agent.call(`/api/jobs/${id}`)
      return (data as { stdout: string }).stdout !== ''
    })
    await agent.end('SIGKILL')
    const { action, outcome, job } = trailOf(home).at(-1)!
    assert.deepEqual([action, outcome, job], ['cancel', 'begun', id])
  })

  test('holds the text of commands where that is wanted, and goes on in one chain after a kill', async () => {
    const env = { AGENT_AUDIT_COMMANDS: 'true' }
    const agent = await startAgent(home, { env })
    await agent.execute({ cmd: 'echo', params: 'shown' })
    await agent.execute({ scriptName: 'x.sh', scriptType: 'shell', scriptContent: 'true', params: 'a b' })
    const [command, script] = trailOf(home).slice(-2)
    assert.deepEqual([command!.command, command!.params], ['echo shown', undefined])
    assert.deepEqual([script!.command, script!.params], ['true', 'a b'])
    await agent.end('SIGKILL')
    const next = await startAgent(home, { env })
    await next.execute({ cmd: 'true' })
    await next.end()
    assert.equal((await verifyAudit(home.data)).fault, undefined)
  })

  test('is written before anything runs: while it cannot be, nothing does, and afterwards it says so', async t => {
    const other = createHome()
    const disk = createFailingDisk(other.path, join(other.data, 'audit'))
    if (!disk) return t.skip('no C compiler is installed')
    const agent = await startAgent(other, { env: disk.env })
    const touched = join(other.path, 'touched')
    const running = await agent.execute({ cmd: 'exec sleep 1000', async: true })
    disk.fail('EIO')
    const submission = {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ cmd: `touch ${touched}` }),
    }
    const refused = await agent.call('/api/jobs/execute/cmd', submission)
    assert.deepEqual([refused.code, refused.error], [503, 'not-recorded'])
    const { data: list } = await agent.call('/api/jobs')
    assert.equal((list as unknown[]).length, 1)
    assert.equal((await agent.call('/api/jobs/execute/cmd', submission)).error, 'not-recorded')
    assert.equal(((await agent.call('/api/jobs')).data as unknown[]).length, 1)
    // Whoever wants to stop something must be able to.
    assert.equal((await agent.call(`/api/jobs/${running.id}/cancel`, { method: 'POST' })).code, 0)
    assert.ok(!existsSync(touched))
    // Whoever was told that it was not run may try again with the same key.
    const keyed = { ...submission, headers: { ...submission.headers, 'Idempotency-Key': 'k' } }
    assert.equal((await agent.call('/api/jobs/execute/cmd', keyed)).error, 'not-recorded')
    disk.heal()
    await waitFor('what was lost is told', () => trailOf(other).length === 3)
    assert.equal((await agent.execute({ cmd: 'true' })).state, 'success')
    assert.equal(
      ((await agent.call('/api/jobs/execute/cmd', keyed)).data as { state: string }).state,
      'success',
    )
    assert.ok(existsSync(touched))
    const { data } = await agent.call('/api/jobs/countOfRunningJobs')
    assert.equal(data, 0)
    assert.equal((await agent.end()).code, 0)
    // The first refusal, and the cancel before and after; the other refusals are told with the next of their kind.
    assert.deepEqual(trailOf(other).map(shown).slice(2, 3), [
      { action: 'audit', outcome: 'not-recorded', count: 3 },
    ])
    const { action, outcome, count } = trailOf(other).at(-2)!
    assert.deepEqual([action, outcome, count], ['submit', 'not-recorded', 2])
    assert.equal((await verifyAudit(other.data)).fault, undefined)
    await other.assertClean()
    other.remove()
    return undefined
  })
})
