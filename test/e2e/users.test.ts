import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createHome, type Home, type RunningAgent, SECRET, startAgent } from '../support/agent.ts'
import { preloaded } from '../support/preloaded.ts'
import { findByText } from '../support/proc.ts'
import { waitFor } from '../support/wait-for.ts'

const isRoot = process.getuid?.() === 0
const id = (...args: string[]): string => execFileSync('id', args, { encoding: 'utf8' })

describe('jobs of other users', { skip: !isRoot && 'needs root' }, () => {
  let home: Home
  let agent: RunningAgent
  const submit = async (body: Record<string, unknown>, headers: Record<string, string> = {}) => {
    const path = `/api/jobs/execute/${'cmd' in body ? 'cmd' : 'script'}`
    const response = await agent.fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Accept-Language': 'en', ...headers },
      body: JSON.stringify(body),
    })
    return { status: response.status, ...((await response.json()) as { error?: string; msg: string }) }
  }

  before(async () => {
    home = createHome()
    chmodSync(home.path, 0o711)
    const keys = join(home.path, 'keys.json')
    const key = { rights: ['read', 'run'], secret: 'sixteen-characters' }
    writeFileSync(
      keys,
      JSON.stringify({
        keys: [
          { ...key, id: 'one', secret: 'secret-of-the-key-one', users: ['daemon'] },
          { ...key, id: 'two', secret: 'secret-of-the-key-two', users: ['daemon', 'bin', 'root'] },
        ],
      }),
      { mode: 0o600 },
    )
    agent = await startAgent(home, {
      env: { AGENT_RUN_AS: 'nobody, daemon, bin:mail', AGENT_KEYS_FILE: keys, SECRET_OF_AGENT: 'x' },
    })
  })
  after(async () => {
    await agent?.end()
    await home?.assertClean()
    home?.remove()
  })

  test('a job is the user: ids, groups, home, and none of the agent’s environment', async () => {
    for (const user of ['nobody', 'daemon']) {
      const job = await agent.execute({
        cmd: 'id; echo "$HOME $USER $LOGNAME $SHELL $SECRET_OF_AGENT"; env | grep -c ^AGENT_',
        user,
      })
      const [, , uid, gid, , userHome] = execFileSync('getent', ['passwd', user], { encoding: 'utf8' })
        .trim()
        .split(':')
      assert.equal(job.stdout, `${id(user)}${userHome} ${user} ${user} /bin/bash \n0\n`, `${uid} ${gid}`)
      assert.deepEqual([job.state, job.user], ['failed', user]) // grep has counted none.
    }
  })

  test('another group is taken where a list has it', async () => {
    const job = await agent.execute({ cmd: 'id -gn', user: 'bin:mail' })
    assert.equal(job.stdout, 'mail\n')
    // Its own group by name is no other right.
    assert.equal((await agent.execute({ cmd: 'id -gn', user: 'daemon:daemon' })).stdout, 'daemon\n')
    for (const user of ['bin', 'daemon:mail', 'nobody:root', 'bin:bin'])
      assert.equal((await submit({ cmd: 'id', user })).error, 'user-not-allowed', user)
  })

  test('there is no way to another user', async () => {
    for (const [user, error] of [
      ['root', 'user-not-allowed'],
      ['root:nogroup', 'user-not-allowed'],
      ['no-such-user', 'user-not-allowed'],
      ['nobody:no-such-group', 'user-not-allowed'],
      ['0', 'invalid-request'],
      ['+0', 'invalid-request'],
      ['-1', 'invalid-request'],
      ['65534', 'invalid-request'],
      ['a:b:c', 'invalid-request'],
      ['nobody:', 'invalid-request'],
      [':nogroup', 'invalid-request'],
      ['', 'invalid-request'],
      ['nobody\0root', 'invalid-request'],
      ['nobody ', 'invalid-request'],
      ['nobody,root', 'invalid-request'],
      ['../nobody', 'invalid-request'],
      ['--reuid=0', 'invalid-request'],
    ])
      assert.equal((await submit({ cmd: 'id', user })).error, error, JSON.stringify(user))
    assert.equal((await submit({ cmd: 'id', user: ['nobody'] })).status, 400)
    assert.match((await submit({ cmd: 'id', user: '+0' })).msg, /: user must be the name of a user/)
  })

  test('a key with users runs nothing as anybody else', async () => {
    const { createSigner } = await import('../../lib/security/md5-signature.ts')
    const as = (secret: string) => {
      const signAt = String(Math.floor(Date.now() / 1000))
      return { sign: createSigner(secret).sign(signAt), signAt }
    }
    const one = as('secret-of-the-key-one')
    assert.equal((await agent.execute({ cmd: 'id -un' }, one)).stdout, 'daemon\n')
    assert.equal((await submit({ cmd: 'id', user: 'nobody' }, one)).error, 'out-of-bounds')
    const two = as('secret-of-the-key-two')
    assert.match((await submit({ cmd: 'id' }, two)).msg, /daemon, bin, root/)
    // The agent's list counts, too.
    assert.equal((await submit({ cmd: 'id', user: 'root' }, two)).error, 'user-not-allowed')
    // What the loader and shells take from the environment is the user's own trouble.
    const env = { LD_PRELOAD: '/no.so', ENV: '/x', BASH_ENV: '/x', LC_ALL: 'xx_YY' }
    assert.equal((await agent.execute({ cmd: 'id -un', env }, one)).stdout, 'daemon\n')
    for (const name of ['UID', 'SHELLOPTS', 'a.b', 'BASH_FUNC_id%%'])
      assert.equal(
        (await submit({ cmd: 'id', env: { [name]: '0' } }, one)).error,
        'variable-not-possible',
        name,
      )
    assert.notEqual(SECRET, 'secret-of-the-key-one')
  })

  test('a script is the user’s, nobody else may read it, and it is gone when the job is', async () => {
    const job = await agent.execute({
      scriptName: 'who.sh',
      scriptContent: 'stat -c "%U %a" "$0"; id -un; echo "$1"; ls "$(dirname "$0")" 2>&1',
      scriptType: 'shell',
      params: '"a b"',
      user: 'nobody',
    })
    const [owner, user, argument, listing] = job.stdout.split('\n')
    assert.deepEqual([owner, user, argument], ['nobody 700', 'nobody', 'a b'])
    assert.match(listing!, /Permission denied/)
    assert.ok(!existsSync(job.scriptPath))
    const python = await agent.execute({
      scriptName: 'who.py',
      scriptContent: 'import os; print(os.getuid())',
      scriptType: 'python',
      user: 'nobody',
    })
    assert.equal(python.stdout, '65534\n')
  })

  test('what it writes is the user’s, in the directory that was asked for', async () => {
    const directory = join(home.path, 'open')
    mkdirSync(directory)
    chmodSync(directory, 0o777)
    const job = await agent.execute({
      cmd: 'pwd; cat > file; umask',
      cwd: directory,
      stdin: 'x',
      user: 'nobody',
    })
    assert.match(job.stdout, new RegExp(`^${directory}\n`))
    const { uid, gid } = statSync(join(directory, 'file'))
    assert.deepEqual([uid, gid], [Number(id('-u', 'nobody')), Number(id('-g', 'nobody'))])
    const plain = await agent.execute({ cmd: 'umask' })
    assert.ok(job.stdout.endsWith(plain.stdout))
  })

  test('a directory that the user may not enter is why it does not start', async () => {
    const job = await agent.execute({ cmd: 'pwd', cwd: home.data, user: 'nobody' })
    // It may pass through the agent's directory to its script, and see nothing in it.
    assert.deepEqual([job.state, job.stdout], ['success', `${home.data}\n`])
    const closed = join(home.path, 'closed')
    mkdirSync(closed, { mode: 0o700 })
    const refused = await agent.execute({ cmd: 'pwd', cwd: closed, user: 'nobody' })
    assert.deepEqual(
      [refused.state, refused.reason, refused.error, refused.pid, refused.exitCode],
      ['failed', 'start-failed', `chdir ${closed}: permission denied`, 0, 0],
    )
  })

  test('it can read nothing of the agent and cannot signal it', async () => {
    const { stdout } = await agent.execute({
      cmd: `cd ${home.data} && ls 2>/dev/null; cat *.db audit.jsonl ../keys.json 2>/dev/null | wc -c
for file in environ mem maps fd/0 cwd/package.json; do cat /proc/${agent.pid}/$file > /dev/null 2>&1 && echo "read $file"; done
kill -0 ${agent.pid} 2>/dev/null && echo signaled; ls /proc/$$/fd | wc -l`,
      user: 'nobody',
    })
    // 0, 1, 2, and bash's own copy of its script or of a directory.
    assert.match(stdout, /^0\n[34]\n$/)
  })

  test('a job of a user is stopped as any, at once while it sets itself up too', async () => {
    const { id: jobId } = await agent.execute({
      cmd: 'echo ready; setsid sleep 1000 & sleep 1000',
      user: 'nobody',
      async: true,
    })
    await waitFor('it is ready', async () => (await agent.job(jobId)).stdout === 'ready\n')
    await agent.call(`/api/jobs/${jobId}/cancel`, { method: 'POST' })
    const { state, reason, survivors } = await agent.job(jobId)
    assert.deepEqual([state, reason, survivors], ['canceled', 'canceled', []])
    const timed = await agent.execute({ cmd: 'sleep 1000', user: 'nobody', timeout: '1ms' })
    assert.deepEqual([timed.state, timed.reason], ['failed', 'timeout'])
    assert.deepEqual(findByText(timed.id), [])
  })

  test('with noNewPrivileges no program gives it more', async () => {
    const job = await agent.execute({
      cmd: 'grep NoNewPrivs /proc/self/status',
      user: 'nobody',
      noNewPrivileges: true,
    })
    assert.equal(job.stdout, 'NoNewPrivs:\t1\n')
    assert.equal(
      (await agent.execute({ cmd: 'grep NoNewPrivs /proc/self/status' })).stdout,
      'NoNewPrivs:\t0\n',
    )
  })
})

describe('a user database that does not answer', { skip: !isRoot && 'needs root' }, () => {
  test('keeps no other job from running, and the agent not from ending', async t => {
    const home = createHome()
    const env = preloaded(home.path, 'slow-users')
    if (!env) return t.skip('needs a C compiler')
    const agent = await startAgent(home, { env: { ...env, AGENT_RUN_AS: 'slow-user, nobody' } })
    const asked = [1, 2, 3, 4, 5, 6].map(() =>
      agent.execute({ cmd: 'true', user: 'slow-user' }).catch(() => 'the agent has ended'),
    )
    // More than there are threads for files and for look-ups.
    for (let count = 0; count < 8; count++)
      assert.equal((await agent.execute({ cmd: 'id -un', user: 'nobody' })).stdout, 'nobody\n')
    assert.equal((await agent.execute({ cmd: 'echo plain' })).stdout, 'plain\n')
    const { code } = await agent.end()
    assert.equal(code, 0)
    await Promise.all(asked)
    await home.assertClean()
    home.remove()
  })
})
