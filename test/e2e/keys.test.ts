import assert from 'node:assert/strict'
import { globSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { hashToken } from '../../lib/security/keys.ts'
import { createHome, type RunningAgent, sign, startAgent } from '../support/agent.ts'
import { askByCurl } from '../support/ask-by-curl.ts'
import { allPids } from '../support/proc.ts'
import { waitFor } from '../support/wait-for.ts'

const TOKEN = 'nda_token-of-alice-0123456789'
const SECRETS = { platform: 'secret-of-the-platform', next: 'next-secret-of-platform' }
const ALICE = { id: 'alice', rights: ['read'], token: hashToken(TOKEN) }
const PLATFORM = { id: 'platform', rights: ['read', 'run'], secret: SECRETS.platform }

/** Writes a whole file in the place of another, as configuration tools do. */
const writeKeys = (path: string, keys: object[]): void => {
  writeFileSync(`${path}.new`, JSON.stringify({ keys }), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

const curl = async (agent: RunningAgent, path: string, ...args: string[]) => {
  const { status, body } = await askByCurl(...args, `${agent.url}${path}`)
  return { status, ...JSON.parse(body) }
}

const bearer = (token: string): string[] => ['-H', `Authorization: Bearer ${token}`]
const signedBy = (secret: string): string[] => {
  const headers = sign(secret)
  return ['-H', `sign: ${headers.sign}`, '-H', `signAt: ${headers.signAt}`]
}
const submitting = (body: object): string[] => [
  '-H',
  'Content-Type: application/json',
  '-d',
  JSON.stringify(body),
]

describe('an agent with a file of keys', () => {
  const home = createHome()
  const keysFile = join(home.path, 'keys.json')
  writeKeys(keysFile, [ALICE, PLATFORM])
  const start = () =>
    startAgent(home, { env: { AGENT_KEYS_FILE: keysFile, AGENT_SECRET: 'the-default-secret' } })

  test('breaks off what a key reads without end once it is taken out, and no one else', async () => {
    const agent = await start()
    const follow = async (path: string, headers: Record<string, string>) => {
      const response = await fetch(agent.url + path, { headers })
      assert.equal(response.status, 200)
      const reader = response.body!.getReader()
      let text = ''
      const whole = (async () => {
        for (let next = await reader.read(); !next.done; next = await reader.read())
          text += Buffer.from(next.value).toString()
      })()
      const ended = whole.then(
        () => 'whole',
        () => 'broken off',
      )
      return { text: () => text, ended, cancel: () => reader.cancel() }
    }
    const submit = async (cmd: string): Promise<string> =>
      (
        await curl(
          agent,
          '/api/jobs/execute/cmd',
          ...signedBy(SECRETS.platform),
          ...submitting({ cmd, async: true }),
        )
      ).data.id
    const id = await submit('while :; do echo line; sleep 0.05; done')
    const alice = { Authorization: `Bearer ${TOKEN}` }
    const broken = await Promise.all([
      follow('/api/events', alice),
      follow(`/api/jobs/${id}/events`, alice),
      follow(`/api/jobs/${id}/stdout?follow=true`, alice),
    ])
    const kept = await follow('/api/events', sign(SECRETS.platform))
    await waitFor('all of them read', () => [...broken, kept].every(({ text }) => text() !== ''))

    writeKeys(keysFile, [{ ...ALICE, rights: ['run'] }, PLATFORM])
    const lost = async () => (await curl(agent, '/api/jobs', ...bearer(TOKEN))).status === 403
    await waitFor('alice may not read any more', lost)
    await submit('true # for whoever still reads')
    for (const { ended } of broken) assert.equal(await ended, 'broken off')
    writeKeys(keysFile, [ALICE, PLATFORM])
    await waitFor('alice may read again', async () => !(await lost()))
    broken.push(await follow('/api/events', alice))

    writeKeys(keysFile, [PLATFORM])
    await waitFor(
      'alice is out',
      async () => (await curl(agent, '/api/jobs', ...bearer(TOKEN))).status === 401,
    )
    const secret = await submit('true # after alice was taken out')
    for (const { ended, text } of broken) {
      assert.equal(await ended, 'broken off')
      assert.ok(!text().includes(secret))
    }
    await waitFor('others go on', () => kept.text().includes(secret))
    await kept.cancel()
    await agent.end()
    await home.assertClean()
    writeKeys(keysFile, [ALICE, PLATFORM])
  })

  test('lets each in with what proves it, to what it may do, and says who has submitted a job', async () => {
    const agent = await start()
    const cmd = '/api/jobs/execute/cmd'
    const ran = await curl(agent, cmd, ...signedBy(SECRETS.platform), ...submitting({ cmd: 'echo hi' }))
    assert.deepEqual([ran.status, ran.data.stdout, ran.data.caller], [200, 'hi\n', 'platform'])
    assert.equal(ran.data.client, '127.0.0.1')
    const seen = await curl(agent, `/api/jobs/${ran.data.id}`, ...bearer(TOKEN))
    assert.deepEqual([seen.status, seen.data.caller], [200, 'platform'])
    const tried = await curl(agent, cmd, ...bearer(TOKEN), ...submitting({ cmd: 'echo hi' }))
    assert.deepEqual([tried.status, tried.error, tried.msg], [403, 'forbidden', '没有权限，需要 run 权限'])
    const wrong = await curl(agent, '/api/jobs', ...bearer(`${TOKEN}x`))
    assert.deepEqual([wrong.status, wrong.error], [401, 'token-wrong'])
    // The token is judged alone, however well the request is signed beside it.
    const both = await curl(agent, '/api/jobs', ...bearer('wrong'), ...signedBy(SECRETS.platform))
    assert.deepEqual([both.status, both.error], [401, 'token-wrong'])
    const byDefault = await curl(agent, '/api/agent', ...signedBy('the-default-secret'))
    assert.equal(byDefault.status, 200)
    assert.equal((await agent.end()).code, 0)
    await home.assertClean()
  })

  test('takes a rotated secret up under load, without one failed request', async () => {
    const agent = await start()
    let secret = SECRETS.platform
    let isLoaded = true
    const statuses = new Set<number>()
    let requests = 0
    const load = async (): Promise<void> => {
      while (isLoaded) {
        const headers = { ...sign(secret), 'Content-Type': 'application/json' }
        const body = '{"cmd":"true"}'
        const response = await fetch(`${agent.url}/api/jobs/execute/cmd`, { method: 'POST', headers, body })
        await response.arrayBuffer()
        statuses.add(response.status)
        requests++
      }
    }
    const clients = [load(), load(), load()]
    const before = requests
    await waitFor('requests are answered', () => requests > before + 10)
    const taken = () => agent.output().stdout.split('the keys have changed').length - 1
    writeKeys(keysFile, [ALICE, { ...PLATFORM, secret: [SECRETS.next, SECRETS.platform] }])
    await waitFor('both secrets are good', () => taken() === 1)
    secret = SECRETS.next
    const switched = requests
    await waitFor('every client uses the next one', () => requests > switched + 10)
    writeKeys(keysFile, [ALICE, { ...PLATFORM, secret: SECRETS.next }])
    await waitFor('the old one is gone', () => taken() === 2)
    const gone = requests
    await waitFor('requests go on', () => requests > gone + 10)
    isLoaded = false
    await Promise.all(clients)
    assert.deepEqual([...statuses], [200])
    const old = await curl(agent, '/api/jobs', ...signedBy(SECRETS.platform))
    assert.deepEqual([old.status, old.error], [401, 'signature-wrong'])
    assert.equal((await agent.end()).code, 0)
  })

  test('shows no secret in its log, its files, its answers, or what the system tells of its processes', async () => {
    writeKeys(keysFile, [ALICE, PLATFORM])
    const agent = await start()
    const hidden = [TOKEN, SECRETS.platform, 'the-default-secret']
    const answers: string[] = []
    for (const args of [bearer(TOKEN), bearer('wrong'), signedBy(SECRETS.platform), signedBy('x')]) {
      answers.push(JSON.stringify(await curl(agent, '/api/jobs', ...args)))
    }
    const job = await curl(
      agent,
      '/api/jobs/execute/cmd',
      ...signedBy(SECRETS.platform),
      ...submitting({ cmd: 'env; exec sleep 1000', async: true }),
    )
    writeFileSync(keysFile, `{"keys": [{"id": "x", "secret": "${SECRETS.platform}"`)
    await waitFor('the fault is told', () => agent.output().stdout.includes('CANNOT BE USED'))
    const shown = [...answers, agent.output().stdout]
    for (const path of globSync(`${home.data}/**`)) {
      if (statSync(path).isFile()) shown.push(readFileSync(path, 'latin1'))
    }
    for (const pid of allPids()) {
      for (const file of ['environ', 'cmdline']) {
        try {
          shown.push(readFileSync(`/proc/${pid}/${file}`, 'latin1'))
        } catch {
          // It has ended, or is another user's.
        }
      }
    }
    assert.ok(shown.some(text => text.includes('sleep\x001000')))
    for (const secret of hidden) assert.ok(!shown.some(text => text.includes(secret)), secret)
    const still = await curl(agent, `/api/jobs/${job.data.id}`, ...signedBy(SECRETS.platform))
    assert.equal(still.data.state, 'running')
    assert.equal((await agent.end()).code, 0)
    home.remove()
  })
})
