import type { JobRecord } from '../../lib/jobs/job.ts'
import type { OutputView } from '../../lib/output/view.ts'
import { fieldsAfterOutput, fieldsBeforeOutput } from './job-json.ts'

/**
 * The JSON text of a job with the output that is kept now, in pieces that each have at most 64 KiB of it. What can not
 * be delivered counts as dropped. The pieces throw OutputRemovedError when the output of an ended job is removed.
 */
export const jobText = (record: JobRecord, output: Pick<OutputView, 'snapshot'>): Iterable<string> =>
  pieces(record, output.snapshot())

function* pieces(record: JobRecord, snapshot: ReturnType<OutputView['snapshot']>): Generator<string> {
  yield `${JSON.stringify(fieldsBeforeOutput(record)).slice(0, -1)},"stdout":"`
  yield* escaped(snapshot.texts('stdout'))
  yield '","stderr":"'
  yield* escaped(snapshot.texts('stderr'))
  yield `",${JSON.stringify(fieldsAfterOutput(record, snapshot.deliveredBytes())).slice(1)}`
}

function* escaped(texts: Iterable<string>): Generator<string> {
  for (const text of texts) if (text !== '') yield JSON.stringify(text).slice(1, -1)
}
