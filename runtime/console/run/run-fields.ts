import { useSignal } from '@preact/signals'
import { h } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { submissionAsCurl } from '../copy-as.ts'
import { CopyButton } from '../copy-button.ts'
import { html } from '../html.ts'
import { language } from '../language.ts'
import { proofNotes } from '../proof-notes.ts'
import { jobAddress } from '../route.ts'
import { agentUrl, type Session } from '../session.ts'
import type { Draft } from './drafts.ts'
import { type Fault, faultOfAnswer, faultOfForm, WITHDRAWN } from './fault.ts'
import { EMPTY_FORM, type RunForm } from './form.ts'
import { allowedOf, changedWithin, formWithin } from './form-within.ts'
import { HowFields } from './how-fields.ts'
import { LimitsSection } from './limits-section.ts'
import { InputSection, OutputSection } from './option-sections.ts'
import { requestOf } from './request.ts'
import { isLost, submitDraft } from './submit.ts'
import { WhatFields } from './what-fields.ts'
import { words } from './words.ts'

/** All fields, and what has become of the last try. One comes to the job as soon as it runs. */
export const RunFields = ({ session, draft }: { session: Session; draft: Draft }) => {
  const fault = useSignal<Fault | undefined>(isLost(draft) ? WITHDRAWN : undefined)
  const isBusy = useSignal(false)
  const cleared = useSignal<{ before: RunForm; after: RunForm } | undefined>(undefined)
  const note = useSignal('')
  const { proof } = session
  const place = useRef<HTMLDivElement>(null)
  const sending = useRef(new AbortController())
  const { users, bounds = {} } = session.agent.value.caller
  // The key may have been given others meanwhile.
  useLayoutEffect(() => {
    draft.form.value = formWithin(draft.form.peek(), bounds)
  }, [draft, JSON.stringify(bounds)])
  useEffect(() => {
    place.current?.querySelector<HTMLElement>(bounds.commands ? 'select' : 'textarea')?.focus()
    // Nothing is to be run behind the back of one who has left.
    return () => sending.current.abort()
  }, [])
  useEffect(() => {
    if (fault.value) place.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus()
  }, [fault.value])

  const submit = async (): Promise<void> => {
    if (isBusy.peek()) return
    fault.value = faultOfForm(draft.form.peek())
    if (fault.peek()) return
    isBusy.value = true
    sending.current = new AbortController()
    const submitted = await submitDraft(session, draft, sending.current.signal)
    if (submitted.ok) {
      // It stays busy until the job's page is there.
      location.hash = jobAddress(submitted.value)
      return
    }
    isBusy.value = false
    fault.value = faultOfAnswer(submitted.error)
  }
  const onKey = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
    event.preventDefault()
    if (!event.repeat) void submit()
  }
  const onChange = (changes: Partial<RunForm>): void => {
    draft.form.value = changedWithin({ ...draft.form.peek(), ...changes }, bounds)
  }
  const clear = (): void => {
    const form = draft.form.peek()
    cleared.value = { before: form, after: formWithin({ ...EMPTY_FORM, kind: form.kind }, bounds) }
    draft.form.value = cleared.value.after
    fault.value = undefined
  }
  const bringBack = (): void => {
    draft.form.value = cleared.peek()!.before
  }

  const isCleared = cleared.value?.after === draft.form.value
  const agent = session.agent.value
  const fields = { form: draft.form.value, faulty: fault.value?.fields ?? NONE, onChange }
  return html`<div class="run-form" ref=${place} onKeyDown=${onKey}>
    ${h(WhatFields, { ...fields, allowed: allowedOf(bounds) })}
    ${h(HowFields, { ...fields, users, bounds })}
    ${h(InputSection, fields)}
    ${h(OutputSection, fields)}
    ${h(LimitsSection, { ...fields, agent })}
    <div class="run-foot">
      <div role="alert">${fault.value ? faultText(fault.value) : null}</div>
      <div class="tools">
        <button type="button" class="primary" aria-disabled=${isBusy.value} onClick=${submit}>
          ${isBusy.value ? words.submitting : fault.value?.isPassing ? words.again : words.submit}</button>
        ${
          isBusy.value
            ? html`<button type="button" class="run-withdraw" onClick=${() => sending.current.abort()}>
              ${words.withdraw}</button>`
            : html`<span class="quiet small run-keys">${words.submitHint}</span>`
        }
        <span class="run-more">${h(CopyButton, {
          text: () =>
            submissionAsCurl(requestOf(draft.form.peek()), { agentUrl: agentUrl().href, proof, language }),
          onCopied: () => {
            note.value = proofNotes[proof]
          },
          children: words.copyAsCurl,
        })}</span>
        <button type="button" class="plain" onClick=${isCleared ? bringBack : clear}>
          ${isCleared ? words.bringBack : words.clear}</button>
      </div>
      <p class="quiet small" role="status">${note.value}</p>
    </div>
  </div>`
}

const NONE: ReadonlySet<string> = new Set()

const faultText = ({ text, note }: Fault) =>
  html`<p class="fault"><bdi>${text}</bdi>${note === undefined ? null : html`<br />${note}`}</p>`
