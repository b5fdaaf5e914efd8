import type { BrowserContext } from 'playwright-core'
import { within } from '../../../lib/base/within.ts'
import type { Agent } from '../agent.ts'
import { SECRET } from '../submission.ts'
import { type OpenedJob, openJobForLine, signInForRow, watchSignIn } from './in-page.ts'
import { createWireCount } from './wire-count.ts'

/** The console in a new tab; it is there when somebody can sign in. */
export const openConsole = async (context: BrowserContext, { url }: Agent) => {
  const page = await context.newPage()
  const session = await context.newCDPSession(page)
  const wire = createWireCount()
  session.on('Network.requestServedFromCache', wire.onServedFromCache)
  session.on('Network.loadingFinished', wire.onFinished)
  await session.send('Network.enable')
  await page.addInitScript(watchSignIn)
  await page.goto(url)
  const ms = await page.waitForFunction<number>('window.signInMs')
  const signInMs = await ms.jsonValue()
  const load = { ...wire.figures(), signInMs }
  return {
    page,
    /** What it took until then. */
    load,

    /** Signs in; how long until there was a job in the list. */
    async signIn(): Promise<number> {
      await page.locator('input[name=kind]').nth(1).check()
      await page.locator('input[type=password]').fill(SECRET)
      return inTime('the list of jobs', page.evaluate(signInForRow))
    },

    /** Goes to a job and waits for the last line of its output. */
    openJob: (id: string, lastLine: string): Promise<OpenedJob> =>
      inTime(
        'the end of the output',
        page.evaluate(openJobForLine, [`#/jobs/${id}`, lastLine] as [string, string]),
      ),

    /** What the scripts of the page hold, typed arrays too, after the garbage is collected. */
    async heapMb(): Promise<number> {
      await session.send('HeapProfiler.collectGarbage')
      const { usedSize, backingStorageSize } = await session.send('Runtime.getHeapUsage')
      return (usedSize + backingStorageSize) / MB
    },
  }
}

/** A page that never shows what is waited for would keep the benchmark for good. */
const inTime = async <T>(label: string, promise: Promise<T>): Promise<T> => {
  const value = await within(promise, DEADLINE_MS)
  if (value === undefined) throw new Error(`not shown within ${DEADLINE_MS} ms: ${label}`)
  return value
}

const DEADLINE_MS = 60_000
const MB = 2 ** 20
