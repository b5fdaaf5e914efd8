import { InvalidArgumentError } from 'commander'
import { type FleetLabel, labelText, parseLabel } from '../../../lib/fleet/names.ts'
import { ensureEvents, ensureQueue } from '../../nats/queue/ensure-engine.ts'
import { Failure } from '../failure.ts'
import { openFleet } from '../open-fleet.ts'
import { type Verb, verb } from '../verb.ts'

/** Makes on the engine what agents make by themselves where its users may; what is there stays as it is. */
export const queueSetup: Verb = cli =>
  verb('setup', 'make what the queue needs on the engine, for agents that may not', [
    'newdt queue setup role=db role=builder',
  ])
    .argument('<label...>', 'that jobs wait for, such as role=db', collectLabels)
    .action(async (labels: FleetLabel[]) => {
      const { connection, name } = await openFleet(cli)
      try {
        const { consumers } = await ensureQueue(connection, labels)
        await ensureEvents(connection)
        for (const label of labels) {
          const { ackWaitMs } = consumers.find(one => labelText(one.label) === labelText(label))!
          const again = `given to another agent after ${ackWaitMs / 1000} s without a word`
          await cli.out.write(`${labelText(label)}: jobs can wait for it; ${again}\n`)
        }
      } catch (error) {
        throw new Failure(
          `${name}: ${(error as Error).message}; it takes JetStream, and a user who may "$JS.API.>"`,
        )
      }
    })

const collectLabels = (text: string, known: FleetLabel[] = []): FleetLabel[] => {
  const label = parseLabel(text)
  if (label) return [...known, label]
  throw new InvalidArgumentError('It should be NAME=VALUE in lower case, such as role=db.')
}
