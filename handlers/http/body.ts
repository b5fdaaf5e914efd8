import { createHash, timingSafeEqual } from 'node:crypto'
import type { ZodType } from 'zod'
import { within } from '../../lib/base/within.ts'
import { refusal } from './refusal.ts'
import { assertSimpleJson } from './simple-json.ts'
import type { Text } from './text.ts'
import { validate } from './validate.ts'

/** What a body must be like. */
export interface BodyRules {
  /** Bytes. */
  limit: number
  /** What the request's signature says of it: its SHA-256, or that there is none. Undefined: it says nothing. */
  signed?: { sha256: Uint8Array | undefined } | undefined
  /** Resolves when there is room for so many bytes, with what gives it back. Rejects with AgentError too-many-bodies. */
  reserve(bytes: number): Promise<Disposable>
  /** How long one that has room may bring nothing, in milliseconds. */
  silentMs?: number
}

type Body = Pick<Request, 'headers' | 'body' | 'bytes'>

/** Reads a JSON body; `bytes` is what it came as. Throws AgentError 400, 401, 413, 415, 503. */
export const readJson = async <T>(
  request: Body,
  schema: ZodType<T>,
  rules: BodyRules,
): Promise<{ value: T; bytes: Uint8Array }> => {
  assertJsonType(request)
  using body = await readBytes(request, rules)
  const { bytes } = body
  return { value: validate(schema, parseJson(bytes)), bytes }
}

/** The same, where no body at all is as good as `{}`. */
export const readOptionalJson = async <T>(
  request: Body,
  schema: ZodType<T>,
  rules: BodyRules,
): Promise<T> => {
  using body = await readBytes(request, rules)
  const { bytes } = body
  if (bytes.length === 0) return validate(schema, {})
  assertJsonType(request)
  return validate(schema, parseJson(bytes))
}

const assertJsonType = ({ headers }: Pick<Request, 'headers'>): void => {
  if (!JSON_TYPE.test(headers.get('content-type') ?? '')) throw refusal('unsupported-media-type')
}

const JSON_TYPE = /^application\/json\s*(;\s*charset\s*=\s*"?utf-?8"?\s*)?$/i

/** What was read; to be disposed of when it is not needed any more. */
type ReadBody = Disposable & { bytes: Uint8Array }

const readBytes = async (request: Body, rules: BodyRules): Promise<ReadBody> => {
  const { limit, signed, reserve, silentMs = SILENT_MS } = rules
  const announced = request.headers.get('content-length')
  if (Number(announced) > limit) throw refusal('body-too-large', { limit })
  using reserved = new DisposableStack()
  const makeRoom = async (size: number) => void reserved.use(await reserve(size))
  const isLarge = Number(announced) > FREE_BYTES
  if (isLarge) await makeRoom(Number(announced))
  // HTTP ends a body at its announced length, so it can be taken whole; which costs less than a stream.
  const bytes =
    announced === null || isLarge
      ? await readStream(request.body, { limit, makeRoom, hasRoom: isLarge, silentMs })
      : await readWhole(request)
  if (bytes.length > limit) throw refusal('body-too-large', { limit })
  if (signed) assertSigned(bytes, signed.sha256)
  const held = reserved.move()
  return { bytes, [Symbol.dispose]: () => held.dispose() }
}

const SILENT_MS = 10_000

/** What every connection may have at a time: small bodies pass whatever becomes of the large ones. */
const FREE_BYTES = 16 << 10

const assertSigned = (bytes: Uint8Array, sha256: Uint8Array | undefined): void => {
  if (sha256 === undefined) {
    if (bytes.length > 0) throw refusal('content-digest-missing')
  } else if (!timingSafeEqual(createHash('sha256').update(bytes).digest(), sha256)) {
    throw refusal('content-digest-wrong')
  }
}

const readWhole = async (request: Body): Promise<Uint8Array> => {
  try {
    return await request.bytes()
  } catch {
    throw refusal('incomplete-body')
  }
}

interface StreamRules {
  limit: number
  /** Called once, for all that there may be, as soon as that is more than every connection may have. */
  makeRoom(bytes: number): Promise<void>
  hasRoom: boolean
  silentMs: number
}

const readStream = async (
  body: Body['body'],
  { limit, makeRoom, hasRoom, silentMs }: StreamRules,
): Promise<Uint8Array> => {
  if (!body) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = body.getReader()
  const read = () => reader.read().catch(() => Promise.reject(refusal('incomplete-body')))
  const readSoon = async () => {
    // Room is not to be held by silence.
    const next = await (hasRoom ? within(read(), silentMs) : read())
    if (!next) throw refusal('request-timeout')
    return next
  }
  for (let next = await readSoon(); !next.done; next = await readSoon()) {
    length += next.value.length
    if (length > limit) {
      // Canceling the stream would tear down the connection before the answer is sent.
      void discardRest(read)
      throw refusal('body-too-large', { limit })
    }
    if (length > FREE_BYTES && !hasRoom) {
      await makeRoom(limit).catch(error => {
        void discardRest(read)
        throw error
      })
      hasRoom = true
    }
    chunks.push(next.value)
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

/** Reads on for a while, so that the client gets to read its answer, and the connection can be used again. */
const discardRest = async (
  read: () => Promise<{ done: boolean; value?: Uint8Array | undefined }>,
): Promise<void> => {
  try {
    for (let length = 0; length < MOST_DISCARDED_BYTES; ) {
      const { done, value } = await read()
      if (done) return
      length += value?.length ?? 0
    }
  } catch {
    // The client has gone, and that is as good.
  }
}

const MOST_DISCARDED_BYTES = 64 << 20

const parseJson = (bytes: Uint8Array): unknown => {
  assertSimpleJson(bytes)
  // request.json() would replace invalid bytes and run another command than the one that was meant.
  const text = orBadRequest(NO_UTF8, () => utf8.decode(bytes))
  return orBadRequest(NO_JSON, () => JSON.parse(text))
}

const NO_UTF8 = { zh: '请求体不是合法的 UTF-8', en: 'the body is not valid UTF-8' }
const NO_JSON = { zh: '请求体不是合法的 JSON', en: 'the body is not valid JSON' }
const utf8 = new TextDecoder('utf-8', { fatal: true })

const orBadRequest = <T>(detail: Text, parse: () => T): T => {
  try {
    return parse()
  } catch {
    throw refusal('invalid-request', { detail })
  }
}
