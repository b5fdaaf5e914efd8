import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Browser, chromium, type Page } from 'playwright-core'
import { createHome, startAgent } from '../../bench/agent.ts'
import { createScratch } from '../../bench/scratch.ts'
import { CHROMIUM } from '../support/chromium.ts'
import { openConsole } from '../support/console-page.ts'
import { CALLERS, fillAgent, KEYS } from './jobs.ts'

const ROOT = join(import.meta.dirname, '../../..')
/** The ones that the pages show. */
const SHOWN = join(ROOT, 'docs/console')

/** How the curves of a job and of the agent get something to show. */
const WATCHED_MS = 45_000

interface Look {
  name: string
  colorScheme: 'light' | 'dark'
  viewport: { width: number; height: number }
  locale: string
}

const WIDE = { width: 1280, height: 760 }
const LIGHT: Look = { name: 'light', colorScheme: 'light', viewport: WIDE, locale: 'en-US' }
const DARK: Look = { ...LIGHT, name: 'dark', colorScheme: 'dark' }
const NARROW: Look = { ...LIGHT, name: 'narrow', viewport: { width: 360, height: 740 } }
const CHINESE: Look = { ...LIGHT, name: 'chinese', locale: 'zh-CN' }
const LOOKS = [LIGHT, DARK, NARROW, CHINESE]

interface Shown {
  name: string
  at: string
  /** Resolves when there is something to see. */
  ready(page: Page): Promise<unknown>
}

const pagesOf = (id: string): Shown[] => [
  { name: 'jobs', at: '/jobs', ready: page => page.locator('.job').nth(3).waitFor() },
  {
    name: 'run',
    at: '/run',
    ready: page => page.getByRole('textbox').first().fill(DUMP),
  },
  { name: 'agent', at: '/agent', ready: page => page.locator('.curve canvas').nth(2).waitFor() },
  {
    name: 'job',
    at: `/jobs/${id}`,
    async ready(page) {
      await page.locator('.curve canvas').nth(1).waitFor()
      await setTimeout(WATCHED_MS)
    },
  },
]

const DUMP = 'pg_dump --format=custom orders | zstd -T2 > "/backup/orders-$(date +%F).zst"'

interface Picture {
  page: Shown
  look: Look
  file: string
}

const takePicture = async (browser: Browser, url: string, { page, look, file }: Picture): Promise<void> => {
  const { name: _, ...options } = look
  await using console = await openConsole(browser, url, { secret: CALLERS.default, ...options, at: page.at })
  await page.ready(console.page)
  writeFileSync(file, await console.page.screenshot())
}

/** Takes the pictures of the pages, or with a directory those of each page in every look, for who wants to see them. */
const scratch = createScratch()
const browser = await chromium.launch(CHROMIUM)
try {
  const home = createHome(scratch)
  const keys = join(home, 'keys.json')
  writeFileSync(keys, JSON.stringify(KEYS), { mode: 0o600 })
  const env = { AGENT_SECRET: CALLERS.default, AGENT_KEYS_FILE: keys }
  const { url } = await startAgent(scratch, { name: 'this', directory: ROOT }, { home, env })
  const id = await fillAgent(url)
  const [directory] = process.argv.slice(2)
  mkdirSync(directory ?? SHOWN, { recursive: true })
  for (const page of pagesOf(id)) {
    const pictures: Picture[] =
      directory === undefined
        ? [{ page, look: LIGHT, file: join(SHOWN, `${page.name}.png`) }]
        : LOOKS.map(look => ({ page, look, file: join(directory, `${page.name}-${look.name}.png`) }))
    await Promise.all(pictures.map(picture => takePicture(browser, url, picture)))
  }
} finally {
  await browser.close()
  await scratch.remove()
}
