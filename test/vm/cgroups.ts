import { waitFor } from '../support/wait-for.ts'
import type { Machine } from './machine.ts'

export const UNIT_CGROUP = '/sys/fs/cgroup/system.slice/newdt-auto.service'

/** The control groups of jobs that are there. */
export const jobGroups = (machine: Machine): Promise<string> =>
  machine.shell(`ls -d ${UNIT_CGROUP}/jobs/job-* 2>/dev/null || true`)

/** The agent looks every few seconds for those that could not be removed at once. */
export const waitForNoGroups = (machine: Machine): Promise<unknown> =>
  waitFor('no control group of a job is left', async () => (await jobGroups(machine)) === '', 60_000)

/** The longest of many answers of `/healthz` until the promise settles, in milliseconds. */
export const slowestHealth = async (machine: Machine, until: Promise<unknown>): Promise<number> => {
  let isOver = false
  const over = until.finally(() => {
    isOver = true
  })
  const times: number[] = []
  while (!isOver) times.push(await machine.agent.health())
  await over
  return Math.round(Math.max(...times))
}
