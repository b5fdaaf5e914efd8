/** An expected failure, with everything that its answer says. */
export class AgentError extends Error {
  /** HTTP status. */
  readonly status: number
  /** The envelope's `code`: the HTTP status, except for "too many jobs". */
  readonly code: number
  readonly headers: Record<string, string>

  constructor(status: number, message: string, headers: Record<string, string> = {}, code = status) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

/** What the contract says when every slot is taken, with the true number of running jobs. */
export const tooManyJobsMessage = (running: number): string =>
  `有 ${running} 个任务正在执行，不能执行新任务，请稍后再尝试`

/** Every failure that a client can be told of. */
export const errors = {
  badRequest: (detail: string) => new AgentError(400, `请求参数无效：${detail}`),
  malformedRequest: () => new AgentError(400, '无法解析的 HTTP 请求'),
  outputLimitTooHigh: (limit: number) => errors.badRequest(`outputLimit 不能超过 ${limit} 字节`),
  rangeNotSatisfiable: (size: number) =>
    new AgentError(416, '请求的范围不存在', { 'Content-Range': `bytes */${size}` }),
  bodyCutOff: () => new AgentError(400, '请求体不完整'),
  unauthorized: () => new AgentError(401, '签名无效或已过期'),
  unknownEndpoint: () => new AgentError(404, '接口不存在'),
  unknownJob: () => new AgentError(404, '任务不存在'),
  methodNotAllowed: (allow: string) =>
    new AgentError(405, `请求方法不支持，可用：${allow}`, { Allow: allow }),
  requestTimeout: () => new AgentError(408, '接收请求超时', CLOSE),
  jobEnded: () => new AgentError(409, '任务已经结束'),
  keyReused: () => new AgentError(409, '相同的 Idempotency-Key 已用于内容不同的请求'),
  bodyTooLarge: (limit: number) => new AgentError(413, `请求体超过 ${limit} 字节`),
  unsupportedMediaType: () => new AgentError(415, '请求的 Content-Type 必须是 application/json（UTF-8）'),
  tooManyJobs: (running: number) => new AgentError(429, tooManyJobsMessage(running), RETRY, 1),
  expectationFailed: () => new AgentError(417, '不支持的 Expect 请求头', CLOSE),
  headersTooLarge: () => new AgentError(431, '请求头过大', CLOSE),
  internal: (requestId: string) => new AgentError(500, `内部错误，请求编号 ${requestId}`),
  notStored: () => new AgentError(503, '任务记录无法写入存储，任务未执行，请稍后再尝试', RETRY),
  stopping: () => new AgentError(503, 'Agent 正在退出，不接受新任务', RETRY),
}

const CLOSE = { Connection: 'close' }
/** In seconds: jobs end at any moment, so a client may ask again soon. */
const RETRY = { 'Retry-After': '1' }
