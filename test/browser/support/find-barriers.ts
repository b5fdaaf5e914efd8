import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'

/** What axe finds serious or critical on the page as it is now, a line each; by these rules, or all. */
export const findBarriers = async (page: Page, rules?: readonly string[]): Promise<string[]> => {
  // By the protocol of the browser, which the page's own policy does not hinder.
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(await readAxe())
  return page.evaluate(async rules => {
    const { axe } = globalThis as unknown as { axe: Axe }
    const { violations } = await axe.run(rules ? { runOnly: rules } : {})
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`))
  }, rules)
}

/** The same in the light and the dark scheme, between which nothing but colours differs; the page is dark then. */
export const findBarriersLightAndDark = async (page: Page): Promise<string[]> => {
  await page.emulateMedia({ colorScheme: 'light' })
  const light = await findBarriers(page)
  await page.emulateMedia({ colorScheme: 'dark' })
  return [...light, ...(await findBarriers(page, ['color-contrast']))]
}

const readAxe = (): Promise<string> =>
  readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

interface Axe {
  run(options: { runOnly?: readonly string[] }): Promise<AxeResults>
}

interface AxeResults {
  violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[]
}
