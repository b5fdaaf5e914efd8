import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERROR_REPLIES } from '../../../handlers/http/error-replies.ts'
import { refusal } from '../../../handlers/http/refusal.ts'
import { errorAnswer } from '../../../handlers/http/reply.ts'
import { AgentError, failure } from '../../../lib/base/errors.ts'
import { createFake, failed, ID, post, REQUEST_ID, SCRIPT, SCRIPT_PATH, signed } from '../fake-services.ts'

const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="newdt-auto"' }

/** As clients have read them from the beginning, and in English. */
const TOLD: [AgentError, status: number, zh: string, en: string, headers?: Record<string, string>][] = [
  [
    refusal('invalid-request', { detail: { zh: 'x', en: 'XX' } }),
    400,
    '请求参数无效：x',
    'invalid request: XX',
  ],
  [
    failure('output-limit-too-high', { limit: 7 }),
    400,
    '请求参数无效：outputLimit 不能超过 7 字节',
    'invalid request: outputLimit must not be more than 7 bytes',
  ],
  [failure('unknown-user', { user: 'x' }), 400, '没有用户 x', 'there is no user x'],
  [failure('unknown-group', { group: 'x' }), 400, '没有用户组 x', 'there is no group x'],
  [
    failure('cannot-run-as', { missing: 'setpriv' }),
    400,
    '本 Agent 无法以其他用户执行任务：setpriv',
    'this agent cannot run jobs as another user: setpriv',
  ],
  [
    failure('notify-not-allowed'),
    403,
    'notify.url 不被允许：其来源（协议、主机和端口）不在 AGENT_NOTIFY_ALLOW 中',
    'notify.url is not allowed: its origin (scheme, host and port) is not in AGENT_NOTIFY_ALLOW',
  ],
  [
    failure('user-not-allowed', { user: 'x' }),
    403,
    '本 Agent 不允许任务以用户 x 执行：须由 Agent 的 AGENT_RUN_AS 写明',
    'this agent runs no jobs as the user x: AGENT_RUN_AS of the agent must name it',
  ],
  [
    failure('users-not-readable'),
    503,
    '系统的用户数据库无法读取，任务未执行，请稍后再尝试',
    "the system's user database cannot be read, so the job was not run; try again later",
    { 'Retry-After': '1' },
  ],
  [
    failure('limit-too-high', { field: 'limits.memory', most: '1gb' }),
    400,
    '请求参数无效：limits.memory 不能超过 1gb',
    'invalid request: limits.memory must not be more than 1gb',
  ],
  [
    failure('variable-not-possible', { variable: 'UID' }),
    400,
    '请求参数错误：带有 user、limits 或 noNewPrivileges 的任务不能设置环境变量 UID：名称只能由字母、数字和 _ 组成，且不能是 shell 自己设置的',
    'invalid request: a job with user, limits or noNewPrivileges cannot have the variable UID: the name must be of letters, digits and _, and none that shells set themselves',
  ],
  [
    failure('limit-unsupported', { field: 'limits.memory', missing: 'a cgroup' }),
    400,
    '本机无法保证 limits.memory：a cgroup',
    'this machine cannot keep limits.memory: a cgroup',
  ],
  [refusal('malformed-request'), 400, '无法解析的 HTTP 请求', 'the HTTP request cannot be parsed'],
  [refusal('incomplete-body'), 400, '请求体不完整', 'the request body is incomplete'],
  [refusal('signature-missing'), 401, '缺少签名', 'the request is not signed', CHALLENGE],
  [
    failure('signature-malformed'),
    401,
    '签名格式错误：sign 应为 32 位小写十六进制，signAt 应为秒级时间戳',
    'the signature is malformed: sign must be 32 lower-case hex digits, signAt a time in seconds',
    CHALLENGE,
  ],
  [
    failure('signature-expired', { seconds: 7 }),
    401,
    '签名已过期 7 秒',
    'the signature expired 7 seconds ago',
    CHALLENGE,
  ],
  [
    failure('signature-ahead', { seconds: 7 }),
    401,
    '签名时间比 Agent 的时钟早到 7 秒，请校准时钟',
    'the signature is from 7 seconds in the future: check the clocks',
    CHALLENGE,
  ],
  [failure('signature-wrong'), 401, '签名无效', 'the signature is wrong', CHALLENGE],
  [
    refusal('token-malformed'),
    401,
    'Authorization 应为 Bearer 令牌',
    'the Authorization header must be a bearer token',
    CHALLENGE,
  ],
  [
    failure('token-insecure'),
    401,
    '令牌只能通过 TLS 或在本机使用；它已在网络上暴露，请更换',
    'a token is taken over TLS or from this host only; this one was exposed on the network, replace it',
    CHALLENGE,
  ],
  [
    failure('message-signature-malformed', { part: 'nonce' }),
    401,
    'RFC 9421 签名格式错误：nonce 缺失或无效',
    'the RFC 9421 signature is malformed: nonce is missing or wrong',
    CHALLENGE,
  ],
  [
    failure('authority-wrong', { authority: 'db2' }),
    401,
    '签名的 @authority 是 db2，不是本 Agent',
    'the signature is for @authority db2, which is not this agent',
    CHALLENGE,
  ],
  [
    failure('nonce-used'),
    401,
    'nonce 已被使用过，每个请求都要重新签名',
    'the nonce was used before: each request needs a signature of its own',
    CHALLENGE,
  ],
  [
    refusal('content-digest-missing'),
    401,
    '签名未包含请求体的 content-digest',
    'the signature does not cover the content-digest of the body',
    CHALLENGE,
  ],
  [
    refusal('content-digest-wrong'),
    401,
    '请求体与签名的 content-digest 不符',
    'the body is not the one of the signed content-digest',
    CHALLENGE,
  ],
  [
    failure('certificate-wrong', { fault: 'CERT_HAS_EXPIRED' }),
    401,
    '客户端证书无效：CERT_HAS_EXPIRED',
    'the client certificate is not good: CERT_HAS_EXPIRED',
    CHALLENGE,
  ],
  [
    failure('certificate-unknown', { subject: 'CN=x' }),
    401,
    '没有 key 使用客户端证书 CN=x',
    'no key has the client certificate CN=x',
    CHALLENGE,
  ],
  [
    failure('credential-too-weak'),
    401,
    '本 Agent 只接受 RFC 9421 签名，以及通过 TLS 使用的令牌和客户端证书（AGENT_AUTH=strict）',
    'this agent takes only RFC 9421 signatures, and over TLS tokens and client certificates (AGENT_AUTH=strict)',
    CHALLENGE,
  ],
  [failure('token-wrong'), 401, '令牌无效', 'the token is wrong', CHALLENGE],
  [failure('key-expired'), 401, '密钥已过期', 'the key has expired', CHALLENGE],
  [refusal('forbidden', { rights: ['run'] }), 403, '没有权限，需要 run 权限', 'this needs the right "run"'],
  [
    failure('address-not-allowed', { address: '192.0.2.1' }),
    403,
    '该密钥不允许从地址 192.0.2.1 使用',
    'the key may not be used from the address 192.0.2.1',
  ],
  [
    failure('not-your-job'),
    403,
    '只有提交者或 admin 才能控制该任务',
    'only who has submitted the job, or an admin, may control it',
  ],
  [
    failure('out-of-bounds', { field: 'cwd' }),
    403,
    '该密钥不允许这样的 cwd',
    'the key does not allow this cwd',
  ],
  [refusal('unknown-endpoint'), 404, '接口不存在', 'there is no such endpoint'],
  [failure('unknown-job'), 404, '任务不存在', 'there is no such job'],
  [
    refusal('method-not-allowed', { allow: 'POST' }),
    405,
    '请求方法不支持，可用：POST',
    'the method is not supported; use POST',
    { Allow: 'POST' },
  ],
  [
    refusal('request-timeout'),
    408,
    '接收请求超时',
    'the request took too long to arrive',
    { Connection: 'close' },
  ],
  [failure('job-ended'), 409, '任务已经结束', 'the job has ended'],
  [
    failure('key-reused'),
    409,
    '相同的 Idempotency-Key 已用于内容不同的请求',
    'the Idempotency-Key was used for a different request',
  ],
  [
    failure('signal-not-permitted', { signal: 'SIGHUP' }),
    409,
    '任务的进程已属于其他用户，系统不允许发送 SIGHUP',
    "the process has become another user's: the system does not permit SIGHUP",
  ],
  [
    refusal('body-too-large', { limit: 7 }),
    413,
    '请求体超过 7 字节',
    'the request body is larger than 7 bytes',
  ],
  [
    refusal('target-too-long', { limit: 7 }),
    414,
    '请求的路径和参数超过 7 字节',
    'the path and query are longer than 7 bytes',
    { Connection: 'close' },
  ],
  [
    refusal('unsupported-media-type'),
    415,
    '请求的 Content-Type 必须是 application/json（UTF-8）',
    'the Content-Type must be application/json (UTF-8)',
  ],
  [
    refusal('range-not-satisfiable', { size: 7 }),
    416,
    '请求的范围不存在',
    'there is no such range',
    { 'Content-Range': 'bytes */7' },
  ],
  [
    refusal('expectation-failed'),
    417,
    '不支持的 Expect 请求头',
    'the Expect header is not supported',
    { Connection: 'close' },
  ],
  [
    refusal('too-many-jobs', { running: 5 }),
    429,
    '有 5 个任务正在执行，不能执行新任务，请稍后再尝试',
    '5 jobs are running, so no new job can run; try again later',
    { 'Retry-After': '1' },
  ],
  [
    failure('too-many-jobs-of-key', { limit: 2 }),
    429,
    '该密钥最多同时执行 2 个任务，请稍后再尝试',
    'the key may run at most 2 jobs at a time; try again later',
    { 'Retry-After': '1' },
  ],
  [
    failure('too-many-guesses', { seconds: 3 }),
    429,
    '此地址的错误凭证过多，请 3 秒后再尝试',
    'too many wrong credentials from this address; try again in 3 seconds',
    { 'Retry-After': '3' },
  ],
  [
    refusal('headers-too-large'),
    431,
    '请求头过大',
    'the request headers are too large',
    { Connection: 'close' },
  ],
  [refusal('internal', { requestId: 'r' }), 500, '内部错误，请求编号 r', 'internal error, request id r'],
  [
    failure('not-stored'),
    503,
    '任务记录无法写入存储，任务未执行，请稍后再尝试',
    'the job cannot be stored, so it was not run; try again later',
    { 'Retry-After': '1' },
  ],
  [
    failure('not-recorded'),
    503,
    '审计日志无法写入，任务未执行，请稍后再尝试',
    'the audit trail cannot be written, so the job was not run; try again later',
    { 'Retry-After': '1' },
  ],
  [
    refusal('too-many-bodies'),
    503,
    '正在接收的请求体过多，请稍后再尝试',
    'too many large request bodies are being received; try again later',
    { 'Retry-After': '1' },
  ],
  [
    failure('nonce-not-remembered'),
    503,
    'nonce 无法记录，请稍后再尝试',
    'the nonce cannot be remembered; try again later',
    { 'Retry-After': '1' },
  ],
  [
    failure('clock-set-back', { seconds: 301 }),
    503,
    'Agent 的时钟被回拨，暂时不接受 RFC 9421 签名，请 301 秒后重新签名再尝试',
    "the agent's clock was set back, so no RFC 9421 signature is taken for now; sign anew in 301 seconds",
    { 'Retry-After': '301' },
  ],
  [
    failure('draining'),
    503,
    'Agent 正在排空，不接受新任务',
    'the agent is draining and takes no new jobs',
    { 'Retry-After': '1' },
  ],
  [
    refusal('not-ready', { reasons: ['draining', 'store-full'] }),
    503,
    '未就绪：draining、store-full',
    'not ready: draining, store-full',
    { 'Retry-After': '1' },
  ],
  [
    failure('stopping'),
    503,
    'Agent 正在退出，不接受新任务',
    'the agent is stopping and takes no new jobs',
    { 'Retry-After': '1' },
  ],
]

test('every code has an answer in both languages, with its word, and none is left out', () => {
  for (const [error, status, zh, en, headers = {}] of TOLD) {
    const code = error.code === 'too-many-jobs' ? 1 : status
    const envelope = { code, success: false, msg: zh, error: error.code, data: null }
    assert.deepEqual(errorAnswer(error), { status, headers, envelope })
    assert.deepEqual(errorAnswer(error, 'en'), { status, headers, envelope: { ...envelope, msg: en } })
    assert.deepEqual(Object.keys(envelope), ['code', 'success', 'msg', 'error', 'data'])
  }
  assert.deepEqual(TOLD.map(([{ code }]) => code).sort(), Object.keys(ERROR_REPLIES).sort())
})

test('a key that does not allow a field tells what it allows', () => {
  const error = failure('out-of-bounds', { field: 'timeout', allowed: '5s' })
  assert.equal(errorAnswer(error).envelope.msg, '该密钥不允许这样的 timeout，允许：5s')
  assert.equal(errorAnswer(error, 'en').envelope.msg, 'the key does not allow this timeout; it allows 5s')
})

test('who does not say as whom is told whom the key allows', () => {
  const error = failure('out-of-bounds', { field: 'user', allowed: 'a, b', isAbsent: true })
  assert.equal(errorAnswer(error).envelope.msg, '请用 user 写明以谁执行：该密钥允许 a, b')
  assert.equal(errorAnswer(error, 'en').envelope.msg, 'say as whom, by user: the key allows a, b')
})

test('a user with a group that is not its own must be named so', () => {
  const error = failure('user-not-allowed', { user: 'a:b' })
  assert.match(errorAnswer(error).envelope.msg, /AGENT_RUN_AS 写明；用户不在该组时，要写完整的 a:b$/)
  assert.match(
    errorAnswer(error, 'en').envelope.msg,
    /AGENT_RUN_AS of the agent must name it, and exactly a:b where the user is not in that group$/,
  )
})

test('a code that the table does not have is an unexpected error', async () => {
  for (const code of ['nope', 'toString', '__proto__']) {
    const error = new AgentError(code)
    const fake = createFake({ job: { now: () => Promise.reject(error) } })
    const { status, body } = await fake.ask(signed(`/api/jobs/${ID}`))
    assert.deepEqual({ status, body }, { status: 500, body: failed(500, `内部错误，请求编号 ${REQUEST_ID}`) })
    assert.deepEqual(fake.reported, [[error, REQUEST_ID]])
  }
})

test('a client that prefers English is told in English, a rejection in its four fields too', async () => {
  const headers = { 'Accept-Language': 'en-US,en;q=0.9,zh-CN;q=0.8' }
  const fake = createFake({ jobs: { submit: async () => ({ id: ID, rejected: true, running: 5 }) } })
  const { text } = await fake.ask(post(SCRIPT_PATH, SCRIPT, headers))
  const msg = '5 jobs are running, so no new job can run; try again later'
  assert.equal(text, `{"id":"${ID}","code":1,"success":false,"msg":"${msg}"}`)
  const { body } = await createFake().ask(signed('/nope', { headers }))
  assert.equal((body as { msg: string }).msg, 'there is no such endpoint')
})
