import { fleetOption, noun, type Verb } from '../verb.ts'
import { queueCancel } from './queue-cancel.ts'
import { queueList } from './queue-list.ts'
import { queueRetry } from './queue-retry.ts'
import { queueSetup } from './queue-setup.ts'
import { queueShow } from './queue-show.ts'
import { queueWait } from './queue-wait.ts'

export const queue: Verb = cli => {
  const verbs = [queueList, queueShow, queueWait, queueCancel, queueRetry, queueSetup].map<Verb>(
    make => cli => make(cli).addOption(fleetOption()),
  )
  return noun('queue', 'work of a fleet that waits for a free slot, or has waited for one', cli, verbs)
}
