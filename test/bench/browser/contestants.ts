import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench, Checkout } from '../bench.ts'
import type { Contestant } from '../rounds.ts'
import { type StartedBrowser, startBrowser } from './browser.ts'

/** Those of each checkout that has a console, all with one browser; nobody where none is installed. */
export const contestantsWithBrowser = async (
  { scratch, tools, checkouts }: Bench,
  contestantsOf: (checkout: Checkout, browser: StartedBrowser) => Promise<Contestant[]>,
): Promise<Contestant[]> => {
  if (tools.chromium === undefined) return []
  const browser = await startBrowser(scratch, tools.chromium)
  const withConsole = checkouts.filter(({ directory }) => existsSync(join(directory, 'runtime/console')))
  return (await Promise.all(withConsole.map(checkout => contestantsOf(checkout, browser)))).flat()
}
