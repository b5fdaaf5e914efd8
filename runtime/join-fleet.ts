import packageJson from '../package.json' with { type: 'json' }
import type { Config } from './config.ts'
import type { FleetMember, JoinOptions } from './nats/fleet-member.ts'
import type { FleetWorkOptions } from './nats/queue/fleet-work.ts'
import type { Notifications } from './notify/open-notify.ts'

interface Parts
  extends Omit<JoinOptions, 'fleet' | 'limit' | 'version' | 'work' | 'jobs' | 'metrics'>,
    Pick<FleetWorkOptions, 'jobs' | 'useUp'> {
  notify: Pick<Notifications, 'delivery' | 'waiting'>
  metrics: JoinOptions['metrics'] & { queue: FleetWorkOptions['count'] }
}

/** Makes the agent one of a fleet, if it is to be in one: nothing of that is loaded else. Rejects with StartupError. */
export const joinFleet = async (
  { fleet, maxRunning: limit }: Pick<Config, 'fleet' | 'maxRunning'>,
  { notify, ...parts }: Parts,
): Promise<FleetMember | undefined> => {
  const delivery = notify.delivery()
  if (!fleet || !delivery) return undefined
  const [{ createFleetMember }, { createFleetWork }] = await Promise.all([
    import('./nats/fleet-member.ts'),
    import('./nats/queue/fleet-work.ts'),
  ])
  const countPending = () => notify.waiting().find(({ sink }) => sink === 'fleet')?.pending ?? 0
  const work = createFleetWork({ ...parts, fleet, limit, delivery, countPending, count: parts.metrics.queue })
  return createFleetMember({ ...parts, fleet, limit, work, version: packageJson.version })
}
