import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { addHost, hostsPath, readHosts, removeHost, useHost } from '../../../runtime/cli/hosts-file.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const newEnv = () => ({ XDG_CONFIG_HOME: scratchDirectory() })
const textOf = (env: NodeJS.ProcessEnv): string => readFileSync(hostsPath(env), 'utf8')

test('a file that is not there has no hosts, and is made for the account alone', async () => {
  const env = newEnv()
  assert.deepEqual(await readHosts(env), { path: join(env.XDG_CONFIG_HOME, 'newdt/hosts.toml'), hosts: {} })
  await addHost(env, 'db1', { url: 'http://db1', token: 'a "quoted" \\ token' })
  assert.equal(statSync(hostsPath(env)).mode & 0o777, 0o600)
  assert.deepEqual((await readHosts(env)).hosts, { db1: { url: 'http://db1', token: 'a "quoted" \\ token' } })
})

test('any changes one after the other give what was wanted, and leave comments of other hosts', async () => {
  const name = fc.constantFrom('a', 'b', 'c.d', 'e-f', 'g_1')
  const change = fc.record({ kind: fc.constantFrom('add', 'remove', 'use'), name })
  await fc.assert(
    fc.asyncProperty(fc.array(change, { maxLength: 12 }), async changes => {
      const env = newEnv()
      const hosts: Record<string, { url: string }> = { kept: { url: 'http://kept' } }
      let current: string | undefined
      await addHost(env, 'kept', hosts.kept!)
      writeFileSync(hostsPath(env), `# above\n${textOf(env)}# below kept\n`)
      for (const { kind, name } of changes) {
        if (kind === 'add' && !hosts[name]) {
          await addHost(env, name, { url: `http://${name}` })
          hosts[name] = { url: `http://${name}` }
        } else if (kind === 'remove' && hosts[name]) {
          await removeHost(env, name)
          delete hosts[name]
          if (current === name) current = undefined
        } else if (kind === 'use' && hosts[name]) {
          await useHost(env, name)
          current = name
        }
        const after = await readHosts(env)
        assert.deepEqual([after.hosts, after.current], [hosts, current])
        assert.match(textOf(env), /^(current = .*\n)?# above\n[\s\S]*# below kept\n/)
      }
    }),
    { numRuns: 40 },
  )
})

test('a file that is written in another way is not changed, but said to be', async () => {
  const env = newEnv()
  await addHost(env, 'a', { url: 'http://a' })
  const text = 'hosts = { a = { url = "http://a" }, b = { url = "http://b" } }\n'
  writeFileSync(hostsPath(env), text)
  await assert.rejects(removeHost(env, 'a'), /please edit it by hand/)
  assert.equal(textOf(env), text)
})

test('hosts that are added at the same time are all there', async () => {
  const env = newEnv()
  const names = Array.from({ length: 8 }, (_, index) => `host${index}`)
  await Promise.all(names.map(name => addHost(env, name, { url: `http://${name}` })))
  assert.deepEqual(Object.keys((await readHosts(env)).hosts).sort(), names)
  assert.deepEqual(readdirSync(join(env.XDG_CONFIG_HOME, 'newdt')), ['hosts.toml'])
})

test('comments that are not right below the keys of a host stay when it goes', async () => {
  const a = '[hosts.a]\n# which\nurl = "http://a"\n'
  const b = '[hosts.b]\nurl = "http://b"\n'
  const cases: [before: string, after: string][] = [
    [`# mine\n\n${a}# of a, or the end\n`, '# mine\n\n# of a, or the end\n'],
    [`${b}\n${a}\n# [hosts.old]\n# url = "http://old"\n`, `${b}\n# [hosts.old]\n# url = "http://old"\n`],
    [`${a}\n# the databases\n\n${b}`, `# the databases\n\n${b}`],
    [`${a}# of a\n\n# the databases\n\n# first\n${b}`, `# the databases\n\n# first\n${b}`],
    [`${a}# of b\n${b}`, `# of b\n${b}`],
    [`${a}${b}# end\n`, `${b}# end\n`],
  ]
  for (const [before, after] of cases) {
    const env = newEnv()
    await addHost(env, 'a', { url: 'http://a' })
    writeFileSync(hostsPath(env), before)
    await removeHost(env, 'a')
    assert.equal(textOf(env), after)
  }
})

test('a place where no directory can be made is refused, not tried without end', async () => {
  const env = { XDG_CONFIG_HOME: '/proc/1/nowhere' }
  await assert.rejects(addHost(env, 'a', { url: 'http://a' }), { code: 'ENOENT' })
})

test('a file that could not be read afterwards is not made, and why is said at once', async () => {
  const env = newEnv()
  chmodSync(env.XDG_CONFIG_HOME, 0o777)
  await assert.rejects(addHost(env, 'a', { url: 'http://a' }), {
    message: `${hostsPath(env)}: others may write the directory ${env.XDG_CONFIG_HOME}; chmod go-w ${env.XDG_CONFIG_HOME}`,
  })
  assert.deepEqual(readdirSync(env.XDG_CONFIG_HOME), [])
})

test('directories that newdt makes are for the account alone, whatever the umask', async t => {
  const before = process.umask(0o002)
  t.after(() => process.umask(before))
  const env = { XDG_CONFIG_HOME: join(scratchDirectory(), 'one/two') }
  await addHost(env, 'a', { url: 'http://a' })
  for (const path of [env.XDG_CONFIG_HOME, join(env.XDG_CONFIG_HOME, 'newdt')])
    assert.equal(statSync(path).mode & 0o777, 0o700)
  assert.deepEqual(Object.keys((await readHosts(env)).hosts), ['a'])
})

/** With a file that says this. */
const envOf = (text: string) => {
  const env = newEnv()
  mkdirSync(join(env.XDG_CONFIG_HOME, 'newdt'))
  writeFileSync(hostsPath(env), text, { mode: 0o600 })
  return env
}

test('the host that is meant is changed however it is written, and line ends and byte order mark stay', async () => {
  const ab = '[hosts.a]\nurl = "http://a"\n\n[hosts.b]\nurl = "http://b"\n'
  for (const line of ['current = "a"', '"current" = "a"', "'current'='a' # mine", '  current = "a"']) {
    for (const before of [`${line}\n${ab}`, `\uFEFF${line}\n${ab}`]) {
      const env = envOf(before)
      await useHost(env, 'b')
      assert.equal(textOf(env), before.replace(line, 'current = "b"'))
      await removeHost(env, 'b')
      assert.equal(textOf(env), before.replace(`${line}\n${ab}`, '[hosts.a]\nurl = "http://a"\n'))
    }
  }
  const env = envOf(`current = "a"\n${ab}`.replaceAll('\n', '\r\n'))
  await useHost(env, 'b')
  await addHost(env, 'c', { url: 'http://c' })
  await removeHost(env, 'c')
  assert.equal(textOf(env).trimEnd(), `current = "b"\n${ab}`.replaceAll('\n', '\r\n').trimEnd())
  assert.ok(!/(?<!\r)\n/.test(textOf(env)))
})

test('a file whose changed text would be none is left as it is, in words of newdt', async () => {
  const inline = 'hosts = { a = { url = "http://a" } }\n'
  const odd = 'current = """\na"""\n[hosts.a]\nurl = "http://a"\n'
  for (const [text, change] of [
    [inline, (env: NodeJS.ProcessEnv) => addHost(env, 'b', { url: 'http://b' })],
    [odd, (env: NodeJS.ProcessEnv) => useHost(env, 'a')],
  ] as const) {
    const env = envOf(text)
    const message = `${hostsPath(env)}: it is written in a way that newdt cannot change; please edit it by hand`
    await assert.rejects(change(env), { message })
    assert.equal(textOf(env), text)
    assert.ok(!existsSync(`${hostsPath(env)}.lock`))
  }
})
