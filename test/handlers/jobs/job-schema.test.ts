import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  assertBadRequest,
  COMMAND_PATH,
  createFake,
  post,
  SCRIPT,
  SCRIPT_PATH,
  submittedBy,
} from '../fake-services.ts'

const BAD_NAME = '不是合法的变量名'
const RESERVED_NAME = '是保留的变量名'
const BAD_VALUE = '应为 string，不含 NUL 字符，不超过 131071 字节'
const BAD_TIMEOUT = 'timeout 应为大于 0、不超过 24d 的时长，例如 "30s"'
const SURROGATE = '含有不成对的 Unicode 代理项'
const NUL = '不能含有 NUL 字符'
const LONE = '\ud800'

/** What Linux takes as one argument, without its NUL. */
const LONGEST = 131_071
const TOO_LONG = `不能超过 ${LONGEST} 字节`
/** So many bytes, most of them in characters of three (汉) or four (𠮷). */
const bytesOf = (length: number, character = '汉'): string => {
  const size = Buffer.byteLength(character)
  return character.repeat(Math.floor(length / size)) + 'x'.repeat(length % size)
}
/** An app that takes bodies longer than any argument. */
const createRoomyFake = () => createFake({ bodyLimit: 1e7 })

/** What is true of every submission is claimed of both kinds. */
const kinds = [
  { name: 'command', path: COMMAND_PATH, valid: { cmd: 'true' } },
  { name: 'script', path: SCRIPT_PATH, valid: SCRIPT },
]

for (const { name, path, valid } of kinds) {
  const refused = (fields: object, detail: string) =>
    assertBadRequest(post(path, { ...valid, ...fields }), detail)
  const accepted = (fields: object) => submittedBy(post(path, { ...valid, ...fields }))

  test(`a ${name} with every field reaches the jobs as it was given`, async () => {
    const fields = { params: 'a "b c"', async: true, cwd: '/tmp', env: { A: '1', 中: '' }, stdin: 'x\0y\n' }
    const submitted = await accepted({ ...fields, timeout: '1.5s', leftovers: 'kill' })
    const { cmd: _cmd, script: _script, ...rest } = submitted
    assert.deepEqual(rest, { ...fields, timeout: { text: '1.5s', ms: 1500 }, leftovers: 'kill' })
  })

  test(`a ${name} without optional fields has no params, is synchronous, and has nothing else`, async () => {
    const { cmd: _cmd, script: _script, ...rest } = await accepted({})
    assert.deepEqual(rest, { params: '', async: false })
  })

  test(`a ${name} may be for a user, by name, perhaps with a group`, async () => {
    for (const user of ['deploy', 'deploy:www-data', 'EX\\alice', 'host$'])
      assert.equal((await accepted({ user })).user, user)
    const detail = 'user 应为用户名，或用户名:组名，例如 "deploy" 或 "deploy:www-data"，不能是数字 ID'
    for (const user of [
      '',
      '0',
      '+0',
      '1000',
      'a:b:c',
      'a:',
      ':a',
      'a:0',
      'a\0',
      'a\n',
      'a b',
      0,
      null,
      ['a'],
    ])
      await refused({ user }, detail)
  })

  test(`a ${name} may name whom it tells, and of what: of its end, if it does not say`, async () => {
    const url = 'https://ci.example.com/done?token=x'
    assert.deepEqual((await accepted({ notify: { url } })).notify, { url, on: ['ended'] })
    const on = ['started', 'ended', 'success', 'failed', 'canceled', 'rejected']
    const shouted = { url: 'HTTPS://CI.example.com:443/done?token=x#part', on }
    assert.deepEqual((await accepted({ notify: shouted })).notify, { url, on })
    assert.equal('notify' in (await accepted({})), false)
    const badUrl =
      'notify.url 应为最多 2048 个字符的 http 或 https 网址，不含用户名和密码，例如 "https://ci.example.com/done"'
    for (const bad of ['', 'ci.example.com/done', 'ftp://a/', 'https://u:p@a/'])
      await refused({ notify: { url: bad } }, badUrl)
    await refused({ notify: {} }, 'notify.url 缺失')
    await refused({ notify: url }, 'notify 应为 object')
    const badOn = 'notify.on 应为 1 到 6 个不重复的 started、ended、success、failed、canceled、rejected'
    for (const bad of [[], ['ended', 'ended']]) await refused({ notify: { url, on: bad } }, badOn)
    const unknown = 'notify.on.0 应为 started 或 ended 或 success 或 failed 或 canceled 或 rejected'
    await refused({ notify: { url, on: ['created'] } }, unknown)
    await refused({ notify: { url, ons: [] } }, 'notify：未知字段 ons（是否为 on？）')
  })

  test(`a ${name} may have limits, sizes as numbers or as text`, async () => {
    const all = {
      memory: 4 << 20,
      cpus: 0.01,
      processes: 1,
      ioWeight: 1,
      openFiles: 16,
      fileSize: 1,
      nice: 0,
    }
    assert.deepEqual((await accepted({ limits: all })).limits, all)
    const { limits } = await accepted({ limits: { memory: '512m', fileSize: '1.5 KiB' } })
    assert.deepEqual(limits, { memory: 512 << 20, fileSize: 1536 })
    assert.deepEqual((await accepted({ limits: {} })).limits, {})
    assert.equal((await accepted({ noNewPrivileges: true })).noNewPrivileges, true)
    await refused({ noNewPrivileges: 'true' }, 'noNewPrivileges 应为 boolean')
  })

  test(`a ${name} with a limit that is none is refused by the name of the limit`, async () => {
    const memory = 'limits.memory 应为 4mb 到 1024tb 的字节数或大小，例如 "512mb"'
    for (const value of [0, (4 << 20) - 1, -1, 1.5, '', '512x', '1mb', '1m', '2000tb', null, [], 2 ** 60])
      await refused({ limits: { memory: value } }, memory)
    await refused(
      { limits: { fileSize: 0 } },
      'limits.fileSize 应为 1b 到 1024tb 的字节数或大小，例如 "512mb"',
    )
    for (const cpus of [0, -1, 0.001, 1025, '1', null])
      await refused({ limits: { cpus } }, 'limits.cpus 应为 0.01 到 1024 的数字')
    for (const processes of [0, 1.5, '10', 4_194_305])
      await refused({ limits: { processes } }, 'limits.processes 应为 1 到 4194304 的整数')
    await refused({ limits: { openFiles: 15 } }, 'limits.openFiles 应为 16 到 1048576 的整数')
    await refused({ limits: { nice: -1 } }, 'limits.nice 应为 0 到 19 的整数')
    await refused({ limits: { ioWeight: 10_001 } }, 'limits.ioWeight 应为 1 到 10000 的整数')
    await refused({ limits: [] }, 'limits 应为 object')
  })

  test(`a ${name} with unknown fields is refused by their names`, async () => {
    await refused({ x: 1, timeuot: 2 }, '未知字段 x、timeuot（是否为 timeout？）')
    await refused({ Async: true }, '未知字段 Async（是否为 async？）')
    await refused({ limits: { mem: 1, x: 2 } }, 'limits：未知字段 mem（是否为 memory？）、x')
    await refused({ constructor: 1, toString: 2 }, '未知字段 constructor、toString')
    await refused({ ['k'.repeat(500)]: 1 }, `未知字段 ${'k'.repeat(64)}…`)
  })

  test(`a ${name} with __proto__ among its fields is refused`, async () => {
    const body = JSON.stringify(valid).replace('{', '{"__proto__":{"async":true},')
    await assertBadRequest(post(path, body), '未知字段 __proto__')
  })

  test(`a ${name} with fields of wrong types is refused, each field by its name`, async () => {
    await refused({ params: 1 }, 'params 应为 string')
    await refused(
      { params: null, async: 'true', cwd: [] },
      'params 应为 string；async 应为 boolean；cwd 应为 string',
    )
    await refused({ async: null }, 'async 应为 boolean')
    await refused({ async: 1 }, 'async 应为 boolean')
    await refused({ stdin: {}, timeout: 30 }, 'stdin 应为 string；timeout 应为 string')
    for (const env of [null, [], 'A=1', 1]) await refused({ env }, 'env 应为 object')
  })

  test(`a ${name} in no absolute directory, or with a NUL or a lone surrogate, is refused`, async () => {
    for (const cwd of ['', '.', 'tmp', '~', ' /tmp']) await refused({ cwd }, 'cwd 应为绝对路径')
    await refused({ cwd: '/a\0' }, `cwd ${NUL}`)
    await refused({ params: 'a\0' }, `params ${NUL}`)
    for (const field of ['params', 'stdin']) await refused({ [field]: LONE }, `${field} ${SURROGATE}`)
    await refused({ cwd: `/${LONE}` }, `cwd ${SURROGATE}`)
  })

  test(`a ${name} takes any environment that is not the agent's own`, async () => {
    const env = {
      LD_PRELOAD: 'x.so',
      BASH_ENV: '/x',
      NODE_OPTIONS: '-r x',
      IFS: '',
      agent_x: '1',
      AGENT: '2',
    }
    for (const given of [{}, env, { NEWDT_AUTO: '1', 'a b-c.d': '2', 中文: '值 = 1\n' }]) {
      assert.deepEqual((await accepted({ env: given })).env, given)
    }
  })

  test(`a ${name} with bad or reserved names in its environment is refused by name`, async () => {
    await refused({ env: { '': '1' } }, `env. ${BAD_NAME}`)
    for (const bad of ['A=B', '=', 'A\0', LONE])
      await refused({ env: { [bad]: '1' } }, `env.${bad} ${BAD_NAME}`)
    for (const reserved of ['AGENT_SECRET', 'AGENT_', 'NEWDT_AUTO_JOB_ID']) {
      await refused({ env: { [reserved]: '1' } }, `env.${reserved} ${RESERVED_NAME}`)
    }
    for (const value of [1, null, true, {}, [], 'a\0', LONE])
      await refused({ env: { A: value } }, `env.A ${BAD_VALUE}`)
  })

  test(`a ${name} may set a variable called __proto__, which is a variable like any other`, async () => {
    const withEnv = (env: string) => post(path, JSON.stringify(valid).replace('{', `{"env":${env},`))
    const submitted = await submittedBy(withEnv('{"__proto__":"x","B":"y"}'))
    assert.deepEqual(Object.entries(submitted.env as object), [
      ['__proto__', 'x'],
      ['B', 'y'],
    ])
    await assertBadRequest(withEnv('{"__proto__":{"A":"x"}}'), `env.__proto__ ${BAD_VALUE}`)
  })

  test(`a ${name} tells of ten mistakes at most`, async () => {
    const names = Array.from({ length: 30 }, (_, index) => `AGENT_${index}`)
    const expected = names.slice(0, 10).map(key => `env.${key} ${RESERVED_NAME}`)
    await refused({ env: Object.fromEntries(names.map(key => [key, ''])) }, expected.join('；'))
  })

  test(`the timeout of a ${name} is a duration above zero that a timer can wait for`, async () => {
    for (const [text, ms] of Object.entries({
      '1ms': 1,
      '30s': 30_000,
      '1.5h': 5_400_000,
      '24d': 2_073_600_000,
    })) {
      assert.deepEqual((await accepted({ timeout: text })).timeout, { text, ms })
    }
    for (const timeout of [
      '0s',
      '0.0s',
      '-5m',
      '25d',
      '4w',
      '30',
      '',
      'abc',
      '1e3s',
      'NaN',
      'Infinity',
      '1y',
    ]) {
      await refused({ timeout }, BAD_TIMEOUT)
    }
  })

  test(`what a ${name} leaves behind is kept or killed as it says, and nothing is said for it`, async () => {
    for (const leftovers of ['keep', 'kill'])
      assert.equal((await accepted({ leftovers })).leftovers, leftovers)
    assert.equal('leftovers' in (await accepted({})), false)
  })

  test(`a ${name} with any other leftovers is refused`, async () => {
    for (const leftovers of [
      '',
      'KILL',
      'Keep',
      'kill ',
      'stop',
      '__proto__',
      null,
      true,
      0,
      [],
      ['kill'],
      {},
    ])
      await refused({ leftovers }, 'leftovers 应为 keep 或 kill')
  })

  test(`the encoding of a ${name} is any that TextDecoder knows, under its own name`, async () => {
    for (const [label, encoding] of Object.entries({
      'utf-8': 'utf-8',
      UTF8: 'utf-8',
      gbk: 'gbk',
      GB2312: 'gbk',
      gb18030: 'gb18030',
      big5: 'big5',
      shift_jis: 'shift_jis',
      'euc-jp': 'euc-jp',
      'euc-kr': 'euc-kr',
      latin1: 'windows-1252',
      'utf-16le': 'utf-16le',
    })) {
      assert.equal((await accepted({ encoding: label })).encoding, encoding)
    }
    assert.equal('encoding' in (await accepted({})), false)
  })

  test(`a ${name} in an unknown encoding is refused`, async () => {
    for (const encoding of [
      '',
      'utf-9',
      'gbk2',
      'binary',
      'base64',
      'hex',
      '__proto__',
      'utf-8\0',
      '汉',
      LONE,
    ])
      await refused({ encoding }, 'encoding 不是已知的字符编码，例如 "gbk"')
    for (const encoding of [null, 1, true, ['gbk'], {}]) await refused({ encoding }, 'encoding 应为 string')
  })

  test(`the output limit of a ${name} is a number of bytes or a size`, async () => {
    for (const [given, bytes] of [
      [0, 0],
      [1, 1],
      [1048576, 1048576],
      ['0', 0],
      ['100', 100],
      ['1b', 1],
      ['1kb', 1024],
      ['1.5 KB', 1536],
      ['1mb', 1048576],
      ['2GB', 2147483648],
      ['2g', 2147483648],
    ] as const) {
      assert.equal((await accepted({ outputLimit: given })).outputLimit, bytes)
    }
    assert.equal('outputLimit' in (await accepted({})), false)
  })

  test(`a ${name} with any other output limit is refused`, async () => {
    const limits = ['', '-1', '-1mb', '1 mb ', 'mb', '1e3', 'NaN', 'Infinity', '1pb', '0x10', '1mb2', '１mb']
    for (const outputLimit of [...limits, 1.5, null, true, [], ['1mb'], {}])
      await refused({ outputLimit }, 'outputLimit 应为字节数或大小，例如 "1mb"')
  })

  test(`a ${name} that writes too much has its output dropped or is killed, as it says`, async () => {
    for (const onOutputLimit of ['drop', 'kill'])
      assert.equal((await accepted({ onOutputLimit })).onOutputLimit, onOutputLimit)
    assert.equal('onOutputLimit' in (await accepted({})), false)
    for (const onOutputLimit of ['', 'KILL', 'keep', 'kill ', null, true, ['kill']])
      await refused({ onOutputLimit }, 'onOutputLimit 应为 drop 或 kill')
  })

  test(`a ${name} may have labels, whose names and values can stand in a query`, async () => {
    const sixteen = Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`l${n}`, '']))
    for (const labels of [{}, { env: 'prod' }, { 业务: '订单', 'a.b/c-d_e': 'x:y@z+1' }, sixteen])
      assert.deepEqual((await accepted({ labels })).labels, labels)
    assert.equal('labels' in (await accepted({})), false)
    const refusedOnes: unknown[] = [
      ...[null, [], 'env=prod', { env: 1 }, { env: null }, { '': 'x' }, { 'a b': 'x' }, { 'a=b': 'x' }],
      ...[{ a: 'b,c' }, { a: 'b c' }, { a: 'b\n' }, { '-a': 'x' }, { 'a-': 'x' }, { a: 'x'.repeat(129) }],
      ...[{ ['a'.repeat(64)]: 'x' }, { ...sixteen, more: 'x' }, { a: '\ud800' }],
    ]
    for (const labels of refusedOnes)
      await refused(
        { labels },
        'labels 应为最多 16 个标签：名称为 1 到 63 个字母、数字或 . _ / -，首尾是字母或数字；值最多 128 个字母、数字或 . _ / : @ + -',
      )
  })

  test(`the directory of a ${name} has 131071 bytes at most, and so have params with the command`, async () => {
    for (const character of ['x', 'é', '汉', '𠮷']) {
      const room = 'cmd' in valid ? LONGEST - Buffer.byteLength(`${valid.cmd} `) : LONGEST
      const params = bytesOf(room, character)
      const cwd = `/${bytesOf(LONGEST - 1, character)}`
      for (const fields of [{ params }, { cwd }]) {
        const submitted = await submittedBy(post(path, { ...valid, ...fields }), createRoomyFake())
        assert.deepEqual({ ...submitted, ...fields }, submitted)
      }
      const together = 'cmd' in valid ? `和 cmd 一起${TOO_LONG}` : TOO_LONG
      const tooLong = { params: `${params}x` }
      await assertBadRequest(post(path, { ...valid, ...tooLong }), `params ${together}`, createRoomyFake())
      await assertBadRequest(post(path, { ...valid, cwd: `${cwd}x` }), `cwd ${TOO_LONG}`, createRoomyFake())
    }
  })

  test(`a variable of a ${name} has 131071 bytes at most`, async () => {
    // The system counts the name, the "=" and the value together.
    for (const env of [{ A: bytesOf(LONGEST - 2) }, { [bytesOf(LONGEST - 2)]: 'x' }]) {
      const submitted = await submittedBy(post(path, { ...valid, env }), createRoomyFake())
      assert.deepEqual(submitted.env, env)
    }
    for (const env of [{ A: bytesOf(LONGEST + 1) }, { [bytesOf(LONGEST + 1)]: '' }]) {
      const fake = createRoomyFake()
      assert.equal((await fake.ask(post(path, { ...valid, env }))).status, 400)
      assert.deepEqual(fake.calls, [])
    }
  })

  test(`the input of a ${name}, which is no argument, may be longer than one`, async () => {
    const stdin = bytesOf(3 * LONGEST)
    assert.equal((await submittedBy(post(path, { ...valid, stdin }), createRoomyFake())).stdin, stdin)
  })

  test(`any JSON in the fields of a ${name} is either submitted or a 400, never anything else`, () =>
    fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...FIELDS), fc.jsonValue()), async fields => {
        const fake = createFake({ bodyLimit: 1e6 })
        const { status } = await fake.ask(post(path, { ...valid, ...fields }))
        assert.equal(status, fake.calls.length === 0 ? 400 : 200)
        assert.deepEqual(fake.reported, [])
      }),
    ))
}

test('a command has 131071 bytes at most, in whatever characters', async () => {
  for (const character of ['x', 'é', '汉', '𠮷']) {
    const cmd = bytesOf(LONGEST, character)
    assert.equal((await submittedBy(post(COMMAND_PATH, { cmd }), createRoomyFake())).cmd, cmd)
    await assertBadRequest(post(COMMAND_PATH, { cmd: `${cmd}x` }), `cmd ${TOO_LONG}`, createRoomyFake())
  }
})

test('the length is counted in bytes, not in characters', async () => {
  const cmd = '汉'.repeat(43_691)
  assert.ok(cmd.length < LONGEST && Buffer.byteLength(cmd) > LONGEST)
  await assertBadRequest(post(COMMAND_PATH, { cmd }), `cmd ${TOO_LONG}`, createRoomyFake())
})

test('the content of a script, which is no argument, may be longer than one', async () => {
  const scriptContent = bytesOf(3 * LONGEST)
  const submitted = await submittedBy(post(SCRIPT_PATH, { ...SCRIPT, scriptContent }), createRoomyFake())
  assert.equal((submitted.script as { content: string }).content, scriptContent)
})

const FIELDS = [
  'cmd',
  'params',
  'async',
  'cwd',
  'env',
  'stdin',
  'timeout',
  'leftovers',
  'encoding',
  'outputLimit',
  'onOutputLimit',
  'labels',
  'user',
  'limits',
  'noNewPrivileges',
  'scriptName',
  'scriptType',
  'x',
]
