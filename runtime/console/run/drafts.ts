import { type Signal, signal } from '@preact/signals'
import type { Job, SubmitRequest } from '../../../lib/client/client.ts'
import { EMPTY_FORM, type RunForm } from './form.ts'

/** A form that one fills in. */
export interface Draft {
  form: Signal<RunForm>
  /** The job that it was made of. */
  job: Signal<Job | undefined>
  /** Of a submission whose answer was lost. The same one again, with its key, is not run twice. */
  lost: { request: SubmitRequest; key: string } | undefined
}

/** Keeps what one has typed while one looks at other pages; a draft for each job that is to be run again. */
export interface Drafts {
  of(from: string | undefined): Draft
}

export const createDrafts = (): Drafts => {
  const drafts = new Map<string | undefined, Draft>()
  return {
    of(from) {
      const draft = drafts.get(from) ?? { form: signal(EMPTY_FORM), job: signal(undefined), lost: undefined }
      drafts.set(from, draft)
      return draft
    },
  }
}
