import { createInterface } from 'node:readline'
import type { BrowserContext, CDPSession } from 'playwright-core'
import { CHROMIUM } from '../../browser/support/chromium.ts'
import { residentMb } from '../memory.ts'
import type { Scratch } from '../scratch.ts'

/** Starts a browser as any other process of the benchmark, so that nothing of it stays. */
export const startBrowser = async (scratch: Scratch, executable: string) => {
  const profile = scratch.directory('browser')
  const args = [...CHROMIUM.args, ...ARGUMENTS, `--user-data-dir=${profile}`]
  const child = scratch.start(executable, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const address = await addressOf(createInterface({ input: child.stderr! }))
  child.stderr!.resume() // Or it waits, in the end, for somebody to read on.
  // Only here: it takes a while to load, and most rows need no browser.
  const { chromium } = await import('playwright-core')
  const browser = await chromium.connectOverCDP(address, { artifactsDir: scratch.directory('artifacts') })
  const system = await browser.newBrowserCDPSession()
  return {
    /** Windows with a cache of their own, empty at first. */
    async withContext<T>(use: (context: BrowserContext) => Promise<T>): Promise<T> {
      await using context = await browser.newContext({ locale: 'en-US' })
      return await use(context)
    },
    /** What the process has in memory that draws a page. The browser keeps a spare one, which is small. */
    rendererMb: () => largestRendererMb(system),
  }
}

export type StartedBrowser = Awaited<ReturnType<typeof startBrowser>>

const ARGUMENTS = ['--remote-debugging-port=0', '--no-default-browser-check']

const addressOf = async (lines: AsyncIterable<string>): Promise<string> => {
  for await (const line of lines) {
    const [, address] = /^DevTools listening on (ws:.+)$/.exec(line) ?? []
    if (address !== undefined) return address
  }
  throw new Error('the browser has ended')
}

const largestRendererMb = async (system: CDPSession): Promise<number> => {
  const { processInfo } = await system.send('SystemInfo.getProcessInfo')
  const renderers = processInfo.filter(({ type }) => type === 'renderer')
  return Math.max(...renderers.map(({ id }) => residentMb(id)))
}
