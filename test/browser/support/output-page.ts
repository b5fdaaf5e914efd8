import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Browser, BrowserContextOptions } from 'playwright-core'
import { serveConsole } from '../../../handlers/serve-console.ts'
import type { ConsoleFile, Context, Services } from '../../../handlers/services.ts'
import type { StreamName } from '../../../runtime/console/output/output.ts'
import type { OutputPage } from '../output-page/main.ts'
import { recordFaults } from './console-page.ts'

/**
 * A page with nothing but an output, served as the console is, with its policy. What it has made is
 * `outputPage` in it. When it is closed, there must have been no fault.
 */
export const openOutputPage = async (browser: Browser, options: BrowserContextOptions = {}) => {
  const served = await readFiles()
  const context = await browser.newContext({ locale: 'en-US', viewport: VIEWPORT, ...options })
  const page = await context.newPage()
  const faults = await recordFaults(page)
  await page.route(`${ORIGIN}/**`, async route => {
    const file = new URL(route.request().url()).pathname.replace(/^\/(console\/)?/, '')
    const request = Object.assign(new Request(route.request().url()), { params: { file } })
    const services = { console: { find: async (path: string) => served.get(path) } }
    const response = await serveConsole(request as never, services as unknown as Services, {} as Context)
    const body = Buffer.from(await response.arrayBuffer())
    await route.fulfill({ status: response.status, headers: Object.fromEntries(response.headers), body })
  })
  await page.goto(ORIGIN)
  await page.getByRole('region', { name: /Output|输出/ }).waitFor()
  return {
    page,
    list: page.locator('.output-list'),
    rows: page.locator('.output-row'),
    write: (text: string, stream: StreamName = 'stdout'): Promise<void> =>
      page.evaluate(([text, stream]) => outputPage.write(text, stream), [text, stream] as const),
    /** The text of the rows that are wholly in view, without what stands beside it. */
    seen: (): Promise<string[]> =>
      page.evaluate(() => {
        const list = document.querySelector('.output-list')!
        const { top } = list.getBoundingClientRect()
        const bottom = top + list.clientTop + list.clientHeight
        return [...list.querySelectorAll('.output-row')]
          .filter(row => {
            const rect = row.getBoundingClientRect()
            return rect.top >= top && rect.bottom <= bottom + 1
          })
          .map(row => (row.querySelector('.output-text') ?? row).textContent ?? '')
      }),
    async [Symbol.asyncDispose]() {
      await context.close()
      assert.deepEqual(faults, [])
    },
  }
}

export type OpenedOutputPage = Awaited<ReturnType<typeof openOutputPage>>

declare global {
  /** In the page. */
  var outputPage: OutputPage
}

/** Nothing is ever asked of it; all requests are answered here. */
const ORIGIN = 'http://localhost'
const VIEWPORT = { width: 1000, height: 800 }

const readFiles = async (): Promise<Map<string, ConsoleFile>> => {
  const worker = new Worker(
    join(import.meta.dirname, '../../../runtime/serve-console/pack-console-worker.ts'),
    {
      workerData: { page: join(import.meta.dirname, '../output-page/index.html') },
      execArgv: ['--disable-warning=ExperimentalWarning', '--experimental-import-meta-resolve'],
    },
  )
  const [packed] = await once(worker, 'message')
  return new Map(packed)
}
