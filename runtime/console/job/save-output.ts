import type { JobHandle } from '../../../lib/client/client.ts'
import { words } from './words.ts'

export type Stream = 'stdout' | 'stderr' | 'output'

/** Saves what is kept, byte for byte, as a file; undefined when that has worked, else why not. */
export const saveOutput = async (
  job: Pick<JobHandle, 'id' | 'output'>,
  stream: Stream,
): Promise<string | undefined> => {
  const answer = await job.output({ stream: stream === 'output' ? undefined : stream })
  if (!answer.ok) return answer.error.message
  try {
    saveFile(await answer.value.blob(), `${job.id}-${stream}.txt`)
    return undefined
  } catch {
    return words.downloadBroke
  }
}

/** A link that is followed: there is no other way to name a file that was fetched. */
const saveFile = (blob: Blob, name: string): void => {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), SAVED_MS)
}

/** The browser reads it after the click; it may ask where to save first. */
const SAVED_MS = 60_000
