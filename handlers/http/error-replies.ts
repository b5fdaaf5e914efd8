import type { AgentError, Failures } from '../../lib/base/errors.ts'
import { rejectionText } from '../../lib/jobs/job.ts'
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
const closeConnection = () => ({ Connection: 'close' })

/** Every code that a client can be told of; one without a reply does not compile. */
export const ERROR_REPLIES: { [Code in keyof Codes]: ErrorReply<Codes[Code]> } = {
  'invalid-request': {
    status: 400,
    zh: ({ detail }) => `请求参数无效：${detail}`,
    en: ({ detail }) => `invalid request: ${detail}`,
  },
  'output-limit-too-high': {
    status: 400,
    zh: ({ limit }) => `请求参数无效：outputLimit 不能超过 ${limit} 字节`,
    en: ({ limit }) => `invalid request: outputLimit must not be more than ${limit} bytes`,
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
  unauthorized: {
    status: 401,
    zh: () => '签名无效或已过期',
    en: () => 'the signature is invalid or has expired',
  },
  forbidden: {
    status: 403,
    zh: ({ right }) => `没有权限，需要 ${right} 权限`,
    en: ({ right }) => `this needs the right "${right}"`,
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
  stopping: {
    status: 503,
    zh: () => 'Agent 正在退出，不接受新任务',
    en: () => 'the agent is stopping and takes no new jobs',
    headers: retrySoon,
  },
}
