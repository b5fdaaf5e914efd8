import { ClientError, failed, type Result, success } from '../../client/result.ts'
import { isUnproven, type QueuedJob } from './queued-job.ts'
import type { QueueRecords } from './records.ts'

export interface SubmitMessageOptions {
  /** Publishes the message of the job; the engine takes one of a name. */
  publish(name: string): Promise<{ duplicate: boolean }>
  records: Pick<QueueRecords, 'get' | 'set'>
  /** Tries again what fails because the engine is away. */
  patiently<T>(attempt: () => Promise<T>): Promise<Result<T>>
}

/**
 * Publishes a job and makes its record; gives what is recorded, which may be of the same job submitted before. Fails with
 * `key-reused` where its id is that of another job.
 */
export const submitMessage = async (
  job: QueuedJob,
  { publish, records, patiently }: SubmitMessageOptions,
): Promise<Result<QueuedJob>> => {
  const { id, fingerprint } = job
  let tries = 0
  const published = await patiently(() => {
    tries++
    return publish(id)
  })
  if (!published.ok) return published
  // The engine has one of this name, and it is not this one, whose earlier try may just not have been confirmed.
  let isMissing = published.value.duplicate && tries === 1
  const recorded = await patiently(async () => {
    const { job: earlier, revision } = await records.get(id)
    // An agent may have it already; then what it has recorded stands.
    if (earlier && (earlier.fingerprint === fingerprint || !isUnproven(earlier))) return earlier
    // Anybody may have published that. Which of them is the job, the record says; the other one is put aside.
    if (isMissing || (earlier && published.value.duplicate)) await publish(`${id}.${fingerprint}`)
    isMissing = false
    return (await records.set(job, revision)) === undefined ? ((await records.get(id)).job ?? job) : job
  })
  // It is in the queue all the same: the agent that takes it makes the record.
  if (!recorded.ok) return isMissing ? recorded : success(job)
  const { content, label } = recorded.value
  return content === job.content && label === job.label
    ? recorded
    : failed(new ClientError('key-reused', `another queued job has the id ${id}`, { status: 409 }))
}
