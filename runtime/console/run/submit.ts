import type { Result } from '../../../lib/client/client.ts'
import type { Session } from '../session.ts'
import type { Draft } from './drafts.ts'
import { requestOf } from './request.ts'

/**
 * Has the agent run what the form asks for; gives the id of the job. When the signal is aborted it is not sent any more;
 * whether it was sent before nobody knows then.
 */
export const submitDraft = async (
  { client }: Pick<Session, 'client'>,
  draft: Draft,
  signal?: AbortSignal,
): Promise<Result<string>> => {
  const request = requestOf(draft.form.peek())
  const key = isLost(draft) ? draft.lost!.key : newKey()
  const submitted = await client.submit(request, { idempotencyKey: key, signal })
  if (submitted.ok) {
    draft.lost = undefined
    return { ok: true, value: submitted.value.id }
  }
  const { mayBeDone, word } = submitted.error
  if (mayBeDone || word === 'aborted') draft.lost = { request, key }
  return submitted
}

/** Whether what the form asks for now may have been run, without an answer that has told so. */
export const isLost = ({ lost, form }: Draft): boolean =>
  lost !== undefined && JSON.stringify(lost.request) === JSON.stringify(requestOf(form.peek()))

/** crypto.randomUUID is not there for a page that came by plain HTTP. */
const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('')
