import type { FleetHost } from '../../../lib/fleet/find-hosts.ts'
import { type FleetLabel, labelText } from '../../../lib/fleet/names.ts'
import { tell } from '../cli.ts'
import { onOption } from '../fleet-options.ts'
import { formatAge } from '../format.ts'
import { openFleet } from '../open-fleet.ts'
import { type OutputFormat, outputOption, printRows } from '../output-format.ts'
import type { Colour } from '../sink.ts'
import type { Column } from '../table.ts'
import { fleetOption, type Verb, verb } from '../verb.ts'

/** The agents of a fleet that are there now. */
export const hosts: Verb = cli =>
  verb('hosts', 'list the agents of a fleet: version, labels, slots', [
    'newdt --fleet nats://engine:4222 hosts',
    'newdt hosts --fleet prod --on role=db',
    "newdt hosts -o jsonl | jq -r 'select(.draining) | .name'",
  ])
    .addOption(fleetOption())
    .addOption(onOption('only those with this label; repeated: with all of them'))
    .addOption(outputOption())
    .action(async ({ on = [], output }: { on?: FleetLabel[]; output: OutputFormat }) => {
      const fleet = await openFleet(cli)
      const found = await fleet.hosts(on)
      const rows = found.map(host => ({ ...host, isDouble: isDouble(host, found) }))
      if (rows.length > 0 || output !== 'table') await printRows(cli, rows, columnsAt(Date.now()), output)
      const doubles = new Set(rows.filter(row => row.isDouble).map(({ name }) => name))
      for (const name of doubles)
        await tell(
          cli,
          `${name}: more than one agent has this name, and only one is asked; give each its own AGENT_NAME`,
        )
      if (rows.length > 0) return
      cli.exitCode = 1
      const which = on.length === 0 ? '' : ` with ${on.map(labelText).join(', ')}`
      await tell(
        cli,
        `${fleet.name}: no agent${which} is there; AGENT_NATS_URL makes an agent one of a fleet`,
      )
    })

/** Two that have one name. */
const isDouble = ({ name, id }: FleetHost, all: readonly FleetHost[]): boolean =>
  all.some(other => other.name === name && other.id !== id)

/** Whether another one has its name. */
type Row = FleetHost & { isDouble: boolean }

const columnsAt = (now: number): Column<Row>[] => [
  { head: 'NAME', text: ({ name }) => name },
  { head: 'STATE', text: stateOf, colour: row => COLOURS[stateOf(row)] },
  { head: 'VERSION', text: ({ version }) => version },
  { head: 'SLOTS', text: ({ running, limit }) => `${running}/${limit}` },
  { head: 'STARTED', text: ({ started }) => formatAge(now - Date.parse(started)) },
  {
    head: 'LABELS',
    text: ({ labels }) =>
      Object.entries(labels)
        .map(label => label.join('='))
        .join(','),
  },
]

const stateOf = ({ isDouble, serving, draining, running, limit }: Row) => {
  // For a moment it is not known yet whether another one has its name.
  if (!serving) return isDouble ? 'double' : 'starting'
  if (draining) return 'draining'
  return running >= limit ? 'full' : 'free'
}

const COLOURS = {
  double: 'red',
  starting: 'dim',
  draining: 'yellow',
  full: 'yellow',
  free: 'green',
} satisfies Record<string, Colour>
