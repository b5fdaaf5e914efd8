import type { AgentError, Failures } from '../../lib/base/errors.ts'
import { rejectionText } from '../../lib/jobs/job.ts'
import { missingText } from './missing.ts'
import type { Refusals } from './refusal.ts'

/** How a client is told of one code. */
export interface ErrorReply<Details> {
  /** HTTP status. */
  status: number
  /** The envelope's `code`, where the contract wants another number than the status. */
  number?: number
  /** The message, in Chinese and in English. */
  zh(details: Details): string
  en(details: Details): string
  headers?(details: Details): Record<string, string>
}

/** How to answer an error; undefined for a code that is no code of the agent's. */
export const findErrorReply = ({ code }: AgentError): ErrorReply<object> | undefined =>
  Object.hasOwn(ERROR_REPLIES, code) ? (ERROR_REPLIES as Record<string, ErrorReply<object>>)[code] : undefined

type Codes = Failures & Refusals

const retrySoon = () => ({ 'Retry-After': '1' }) // Seconds: jobs end at any moment.
const challenge = () => ({ 'WWW-Authenticate': 'Bearer realm="newdt-auto"' }) // RFC 9110, 11.6.1
const closeConnection = () => ({ Connection: 'close' })

/** Every code that a client can be told of; one without a reply does not compile. */
export const ERROR_REPLIES: { [Code in keyof Codes]: ErrorReply<Codes[Code]> } = {
  'invalid-request': {
    status: 400,
    zh: ({ detail }) => `请求参数无效：${detail.zh}`,
    en: ({ detail }) => `invalid request: ${detail.en}`,
  },
  'output-limit-too-high': {
    status: 400,
    zh: ({ limit }) => `请求参数无效：outputLimit 不能超过 ${limit} 字节`,
    en: ({ limit }) => `invalid request: outputLimit must not be more than ${limit} bytes`,
  },
  'unknown-user': {
    status: 400,
    zh: ({ user }) => `没有用户 ${user}`,
    en: ({ user }) => `there is no user ${user}`,
  },
  'unknown-group': {
    status: 400,
    zh: ({ group }) => `没有用户组 ${group}`,
    en: ({ group }) => `there is no group ${group}`,
  },
  'cannot-run-as': {
    status: 400,
    zh: ({ missing }) => `本 Agent 无法以其他用户执行任务：${missingText(missing).zh}`,
    en: ({ missing }) => `this agent cannot run jobs as another user: ${missingText(missing).en}`,
  },
  'limit-too-high': {
    status: 400,
    zh: ({ field, most }) => `请求参数无效：${field} 不能超过 ${most}`,
    en: ({ field, most }) => `invalid request: ${field} must not be more than ${most}`,
  },
  'limit-unsupported': {
    status: 400,
    zh: ({ field, missing }) => `本机无法保证 ${field}：${missingText(missing).zh}`,
    en: ({ field, missing }) => `this machine cannot keep ${field}: ${missingText(missing).en}`,
  },
  'variable-not-possible': {
    status: 400,
    zh: ({ variable }) =>
      `请求参数错误：带有 user、limits 或 noNewPrivileges 的任务不能设置环境变量 ${variable}：名称只能由字母、数字和 _ 组成，且不能是 shell 自己设置的`,
    en: ({ variable }) =>
      `invalid request: a job with user, limits or noNewPrivileges cannot have the variable ${variable}: the name must be of letters, digits and _, and none that shells set themselves`,
  },
  'malformed-request': {
    status: 400,
    zh: () => '无法解析的 HTTP 请求',
    en: () => 'the HTTP request cannot be parsed',
  },
  'incomplete-body': {
    status: 400,
    zh: () => '请求体不完整',
    en: () => 'the request body is incomplete',
  },
  'signature-missing': {
    status: 401,
    zh: () => '缺少签名',
    en: () => 'the request is not signed',
    headers: challenge,
  },
  'signature-malformed': {
    status: 401,
    zh: () => '签名格式错误：sign 应为 32 位小写十六进制，signAt 应为秒级时间戳',
    en: () => 'the signature is malformed: sign must be 32 lower-case hex digits, signAt a time in seconds',
    headers: challenge,
  },
  'signature-expired': {
    status: 401,
    zh: ({ seconds }) => `签名已过期 ${seconds} 秒`,
    en: ({ seconds }) => `the signature expired ${seconds} seconds ago`,
    headers: challenge,
  },
  'signature-ahead': {
    status: 401,
    zh: ({ seconds }) => `签名时间比 Agent 的时钟早到 ${seconds} 秒，请校准时钟`,
    en: ({ seconds }) => `the signature is from ${seconds} seconds in the future: check the clocks`,
    headers: challenge,
  },
  'signature-wrong': {
    status: 401,
    zh: () => '签名无效',
    en: () => 'the signature is wrong',
    headers: challenge,
  },
  'message-signature-malformed': {
    status: 401,
    zh: ({ part }) => `RFC 9421 签名格式错误：${part} 缺失或无效`,
    en: ({ part }) => `the RFC 9421 signature is malformed: ${part} is missing or wrong`,
    headers: challenge,
  },
  'authority-wrong': {
    status: 401,
    zh: ({ authority }) => `签名的 @authority 是 ${authority}，不是本 Agent`,
    en: ({ authority }) => `the signature is for @authority ${authority}, which is not this agent`,
    headers: challenge,
  },
  'nonce-used': {
    status: 401,
    zh: () => 'nonce 已被使用过，每个请求都要重新签名',
    en: () => 'the nonce was used before: each request needs a signature of its own',
    headers: challenge,
  },
  'content-digest-missing': {
    status: 401,
    zh: () => '签名未包含请求体的 content-digest',
    en: () => 'the signature does not cover the content-digest of the body',
    headers: challenge,
  },
  'content-digest-wrong': {
    status: 401,
    zh: () => '请求体与签名的 content-digest 不符',
    en: () => 'the body is not the one of the signed content-digest',
    headers: challenge,
  },
  'certificate-wrong': {
    status: 401,
    zh: ({ fault }) => `客户端证书无效：${fault}`,
    en: ({ fault }) => `the client certificate is not good: ${fault}`,
    headers: challenge,
  },
  'certificate-unknown': {
    status: 401,
    zh: ({ subject }) => `没有 key 使用客户端证书 ${subject}`,
    en: ({ subject }) => `no key has the client certificate ${subject}`,
    headers: challenge,
  },
  'credential-too-weak': {
    status: 401,
    zh: () => '本 Agent 只接受 RFC 9421 签名，以及通过 TLS 使用的令牌和客户端证书（AGENT_AUTH=strict）',
    en: () =>
      'this agent takes only RFC 9421 signatures, and over TLS tokens and client certificates (AGENT_AUTH=strict)',
    headers: challenge,
  },
  'token-malformed': {
    status: 401,
    zh: () => 'Authorization 应为 Bearer 令牌',
    en: () => 'the Authorization header must be a bearer token',
    headers: challenge,
  },
  'token-insecure': {
    status: 401,
    zh: () => '令牌只能通过 TLS 或在本机使用；它已在网络上暴露，请更换',
    en: () =>
      'a token is taken over TLS or from this host only; this one was exposed on the network, replace it',
    headers: challenge,
  },
  'token-wrong': {
    status: 401,
    zh: () => '令牌无效',
    en: () => 'the token is wrong',
    headers: challenge,
  },
  'key-expired': {
    status: 401,
    zh: () => '密钥已过期',
    en: () => 'the key has expired',
    headers: challenge,
  },
  forbidden: {
    status: 403,
    zh: ({ rights }) => `没有权限，需要 ${rights.join(' 或 ')} 权限`,
    en: ({ rights }) => `this needs the right ${rights.map(right => `"${right}"`).join(' or ')}`,
  },
  'address-not-allowed': {
    status: 403,
    zh: ({ address }) => `该密钥不允许从地址 ${address} 使用`,
    en: ({ address }) => `the key may not be used from the address ${address}`,
  },
  'not-your-job': {
    status: 403,
    zh: () => '只有提交者或 admin 才能控制该任务',
    en: () => 'only who has submitted the job, or an admin, may control it',
  },
  'out-of-bounds': {
    status: 403,
    zh: ({ field, allowed, isAbsent }) =>
      isAbsent
        ? `请用 ${field} 写明以谁执行：该密钥允许 ${allowed}`
        : `该密钥不允许这样的 ${field}${allowed === undefined ? '' : `，允许：${allowed}`}`,
    en: ({ field, allowed, isAbsent }) =>
      isAbsent
        ? `say as whom, by ${field}: the key allows ${allowed}`
        : `the key does not allow this ${field}${allowed === undefined ? '' : `; it allows ${allowed}`}`,
  },
  'notify-not-allowed': {
    status: 403,
    zh: () => 'notify.url 不被允许：其来源（协议、主机和端口）不在 AGENT_NOTIFY_ALLOW 中',
    en: () => 'notify.url is not allowed: its origin (scheme, host and port) is not in AGENT_NOTIFY_ALLOW',
  },
  'user-not-allowed': {
    status: 403,
    zh: ({ user }) =>
      `本 Agent 不允许任务以用户 ${user} 执行：须由 Agent 的 AGENT_RUN_AS 写明${user.includes(':') ? `；用户不在该组时，要写完整的 ${user}` : ''}`,
    en: ({ user }) =>
      `this agent runs no jobs as the user ${user}: AGENT_RUN_AS of the agent must name it${user.includes(':') ? `, and exactly ${user} where the user is not in that group` : ''}`,
  },
  'unknown-endpoint': {
    status: 404,
    zh: () => '接口不存在',
    en: () => 'there is no such endpoint',
  },
  'unknown-job': {
    status: 404,
    zh: () => '任务不存在',
    en: () => 'there is no such job',
  },
  'method-not-allowed': {
    status: 405,
    zh: ({ allow }) => `请求方法不支持，可用：${allow}`,
    en: ({ allow }) => `the method is not supported; use ${allow}`,
    headers: ({ allow }) => ({ Allow: allow }),
  },
  'request-timeout': {
    status: 408,
    zh: () => '接收请求超时',
    en: () => 'the request took too long to arrive',
    headers: closeConnection,
  },
  'job-ended': {
    status: 409,
    zh: () => '任务已经结束',
    en: () => 'the job has ended',
  },
  'key-reused': {
    status: 409,
    zh: () => '相同的 Idempotency-Key 已用于内容不同的请求',
    en: () => 'the Idempotency-Key was used for a different request',
  },
  'signal-not-permitted': {
    status: 409,
    zh: ({ signal }) => `任务的进程已属于其他用户，系统不允许发送 ${signal}`,
    en: ({ signal }) => `the process has become another user's: the system does not permit ${signal}`,
  },
  'body-too-large': {
    status: 413,
    zh: ({ limit }) => `请求体超过 ${limit} 字节`,
    en: ({ limit }) => `the request body is larger than ${limit} bytes`,
  },
  'target-too-long': {
    status: 414,
    zh: ({ limit }) => `请求的路径和参数超过 ${limit} 字节`,
    en: ({ limit }) => `the path and query are longer than ${limit} bytes`,
    headers: closeConnection,
  },
  'unsupported-media-type': {
    status: 415,
    zh: () => '请求的 Content-Type 必须是 application/json（UTF-8）',
    en: () => 'the Content-Type must be application/json (UTF-8)',
  },
  'range-not-satisfiable': {
    status: 416,
    zh: () => '请求的范围不存在',
    en: () => 'there is no such range',
    headers: ({ size }) => ({ 'Content-Range': `bytes */${size}` }),
  },
  'expectation-failed': {
    status: 417,
    zh: () => '不支持的 Expect 请求头',
    en: () => 'the Expect header is not supported',
    headers: closeConnection,
  },
  'too-many-jobs': {
    status: 429,
    number: 1,
    zh: ({ running }) => rejectionText(running),
    en: ({ running }) => `${running} jobs are running, so no new job can run; try again later`,
    headers: retrySoon,
  },
  'too-many-jobs-of-key': {
    status: 429,
    zh: ({ limit }) => `该密钥最多同时执行 ${limit} 个任务，请稍后再尝试`,
    en: ({ limit }) => `the key may run at most ${limit} jobs at a time; try again later`,
    headers: retrySoon,
  },
  'too-many-guesses': {
    status: 429,
    zh: ({ seconds }) => `此地址的错误凭证过多，请 ${seconds} 秒后再尝试`,
    en: ({ seconds }) => `too many wrong credentials from this address; try again in ${seconds} seconds`,
    headers: ({ seconds }) => ({ 'Retry-After': String(seconds) }),
  },
  'headers-too-large': {
    status: 431,
    zh: () => '请求头过大',
    en: () => 'the request headers are too large',
    headers: closeConnection,
  },
  internal: {
    status: 500,
    zh: ({ requestId }) => `内部错误，请求编号 ${requestId}`,
    en: ({ requestId }) => `internal error, request id ${requestId}`,
  },
  'not-stored': {
    status: 503,
    zh: () => '任务记录无法写入存储，任务未执行，请稍后再尝试',
    en: () => 'the job cannot be stored, so it was not run; try again later',
    headers: retrySoon,
  },
  'users-not-readable': {
    status: 503,
    zh: () => '系统的用户数据库无法读取，任务未执行，请稍后再尝试',
    en: () => "the system's user database cannot be read, so the job was not run; try again later",
    headers: retrySoon,
  },
  'not-recorded': {
    status: 503,
    zh: () => '审计日志无法写入，任务未执行，请稍后再尝试',
    en: () => 'the audit trail cannot be written, so the job was not run; try again later',
    headers: retrySoon,
  },
  'too-many-bodies': {
    status: 503,
    zh: () => '正在接收的请求体过多，请稍后再尝试',
    en: () => 'too many large request bodies are being received; try again later',
    headers: retrySoon,
  },
  'nonce-not-remembered': {
    status: 503,
    zh: () => 'nonce 无法记录，请稍后再尝试',
    en: () => 'the nonce cannot be remembered; try again later',
    headers: retrySoon,
  },
  'clock-set-back': {
    status: 503,
    zh: ({ seconds }) => `Agent 的时钟被回拨，暂时不接受 RFC 9421 签名，请 ${seconds} 秒后重新签名再尝试`,
    en: ({ seconds }) =>
      `the agent's clock was set back, so no RFC 9421 signature is taken for now; sign anew in ${seconds} seconds`,
    headers: ({ seconds }) => ({ 'Retry-After': String(seconds) }),
  },
  draining: {
    status: 503,
    zh: () => 'Agent 正在排空，不接受新任务',
    en: () => 'the agent is draining and takes no new jobs',
    headers: retrySoon,
  },
  'not-ready': {
    status: 503,
    zh: ({ reasons }) => `未就绪：${reasons.join('、')}`,
    en: ({ reasons }) => `not ready: ${reasons.join(', ')}`,
    headers: retrySoon,
  },
  stopping: {
    status: 503,
    zh: () => 'Agent 正在退出，不接受新任务',
    en: () => 'the agent is stopping and takes no new jobs',
    headers: retrySoon,
  },
}
