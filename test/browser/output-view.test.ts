import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waitFor } from '../support/wait-for.ts'
import { BROWSER_TEST, launchBrowser, MORE_BROWSER_TEST } from './support/browser.ts'
import { findBarriers } from './support/find-barriers.ts'
import { type OpenedOutputPage, openOutputPage } from './support/output-page.ts'

const browser = launchBrowser()

const lines = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, index) => `line ${from + index}\n`).join('')

/** Waits for what is seen; the condition gets the texts of the rows. */
const waitForRows = async (
  { seen }: OpenedOutputPage,
  label: string,
  condition: (rows: string[]) => boolean,
): Promise<string[]> => {
  let rows: string[] = []
  await waitFor(label, async () => {
    rows = await seen()
    return condition(rows)
  }).catch(error => {
    throw new Error(`${error.message}; seen are ${JSON.stringify(rows)}`)
  })
  return rows
}

test(
  'the end stays in view while output comes, until one scrolls up; then what one reads stays',
  BROWSER_TEST,
  async () => {
    await using one = await openOutputPage(await browser())
    await one.write(lines(1000))
    await waitForRows(one, 'the end', rows => rows.at(-1) === 'line 999')
    await one.write(lines(1000, 1000))
    await waitForRows(one, 'the new end', rows => rows.at(-1) === 'line 1999')
    assert.equal(await one.page.getByText('follows · 2,000 lines').first().isVisible(), true)

    await one.list.hover()
    await one.page.mouse.wheel(0, -2000)
    const before = await waitForRows(one, 'further up', rows => rows.at(-1) === 'line 1899')
    await one.write(lines(1000, 2000))
    await one.page.getByText('3,000 lines').first().waitFor()
    assert.deepEqual(await one.seen(), before)
    assert.equal(await one.page.getByRole('button', { name: 'Follow' }).getAttribute('aria-pressed'), 'false')

    await one.page.evaluate(() => outputPage.view.follow())
    await waitForRows(one, 'the end again', rows => rows.at(-1) === 'line 2999')
  },
)

test('one who scrolls down to the end follows it again', MORE_BROWSER_TEST, async () => {
  await using one = await openOutputPage(await browser())
  await one.write(lines(500))
  await waitForRows(one, 'the end', rows => rows.at(-1) === 'line 499')
  await one.list.hover()
  await one.page.mouse.wheel(0, -500)
  await waitForRows(one, 'further up', rows => rows.at(-1) !== 'line 499')
  await one.page.mouse.wheel(0, 900)
  await waitForRows(one, 'the end', rows => rows.at(-1) === 'line 499')
  await one.write(lines(1, 500))
  await waitForRows(one, 'the new end', rows => rows.at(-1) === 'line 500')
})

test(
  'of a million lines only those in view are in the page, and keys lead to each',
  BROWSER_TEST,
  async () => {
    await using one = await openOutputPage(await browser())
    await one.write(lines(1_000_000))
    await waitForRows(one, 'the end', rows => rows.at(-1) === 'line 999999')
    assert.ok((await one.rows.count()) < 100)
    await one.list.focus()
    await one.page.keyboard.press('Home')
    const first = await waitForRows(one, 'the start', rows => rows[0] === 'line 0')
    await one.page.keyboard.press('PageDown')
    await waitForRows(
      one,
      'a page further',
      rows => rows[0] === `line ${first.length - 1}` || rows[0] === `line ${first.length}`,
    )
    await one.page.keyboard.press('ArrowUp')
    await waitForRows(
      one,
      'a row back',
      rows => rows[0] === `line ${first.length - 2}` || rows[0] === `line ${first.length - 1}`,
    )
    await one.page.keyboard.press('End')
    await waitForRows(one, 'the end', rows => rows.at(-1) === 'line 999999')
    await one.list.evaluate(list => {
      list.scrollTop = list.scrollHeight / 2
    })
    await waitForRows(one, 'the middle', rows => rows.some(row => /^line (49|50)\d{4}$/.test(row)))
  },
)

test(
  'where a million lines are higher than a browser can scroll, the wheel still goes row by row',
  MORE_BROWSER_TEST,
  async () => {
    await using one = await openOutputPage(await browser())
    await one.write(lines(1_000_000))
    await waitForRows(one, 'the end', rows => rows.at(-1) === 'line 999999')
    assert.ok((await one.list.evaluate(list => list.scrollHeight)) < 16_000_000)
    await one.list.hover()
    for (const [px, last] of [
      [-60, 999_996],
      [-20, 999_995],
      [40, 999_997],
    ] as const) {
      await one.page.mouse.wheel(0, px)
      await waitForRows(one, `${px} pixels`, rows => rows.at(-1) === `line ${last}`)
    }
  },
)

test('nothing that a job writes becomes markup, or changes the page around it', BROWSER_TEST, async () => {
  await using one = await openOutputPage(await browser())
  const hostile = [
    '<img src=x onerror="document.title=1"><script>document.title=2</script>',
    '&lt;b&gt; </bdi></div>',
    '\x1b]8;;javascript:alert(1)\x1b\\link\x1b]8;;\x1b\\',
    '\x1b[38;5;"><b>m',
    'a\u202eb\u2067c\u2028d',
    'e\u0301'.repeat(10) + '\u0301'.repeat(200),
    '\0\x07\b\x1b[2J\u009b2J',
  ]
  await one.write(hostile.map(line => `${line}\n`).join(''))
  await one.write('constructor.__proto__ <style>*{display:none}</style>\n', 'stderr')
  const rows = await waitForRows(one, 'all rows', rows => rows.length === 8)
  const expected = [hostile[0], hostile[1], 'link', '>m', 'aU+202EbU+2067cU+2028d']
  assert.deepEqual(rows.slice(0, 5), expected)
  assert.equal(await one.list.locator('img, script, style, b, a').count(), 0)
  assert.equal(await one.page.title(), 'Output')
  const heights = await one.rows.evaluateAll(rows => rows.map(row => row.getBoundingClientRect().height))
  assert.deepEqual(new Set(heights), new Set([20]))
})

test('a search counts while output comes, and leads from hit to hit', MORE_BROWSER_TEST, async () => {
  await using one = await openOutputPage(await browser())
  await one.write(lines(50_000))
  await one.write('LINE of stderr\n', 'stderr')
  const search = one.page.getByRole('searchbox')
  await search.fill('LINE 2000')
  await one.page.getByText('11 hits').waitFor()
  await one.write('line 2000 again\n')
  await one.page.getByText('12 hits').waitFor()
  await one.list.focus()
  await one.page.keyboard.press('Home')
  await search.press('Enter')
  await one.page.getByText('1 of 12').waitFor()
  await waitForRows(one, 'the first hit', rows => rows.includes('line 2000'))
  assert.equal(await one.page.locator('mark.current').textContent(), 'line 2000')
  await search.press('Enter')
  await waitForRows(one, 'the next hit', rows => rows.includes('line 20000'))
  assert.ok((await one.page.locator('mark.hit').count()) > 5)
  await search.press('Shift+Enter')
  await search.press('Shift+Enter')
  await one.page.getByText('12 of 12').waitFor()
  await waitForRows(one, 'the last hit', rows => rows.includes('line 2000 again'))
  await search.press('Escape')
  await waitFor('no marks', async () => (await one.page.locator('mark').count()) === 0)
})

test('a hit that is far to the side is brought into view', MORE_BROWSER_TEST, async () => {
  await using one = await openOutputPage(await browser())
  await one.write(`${'-'.repeat(3000)}needle\n`)
  await one.page.getByRole('searchbox').fill('needle')
  await one.page.getByText('1 hit').waitFor()
  await one.page.getByRole('searchbox').press('Enter')
  await waitFor('it is in view', () =>
    one.page.locator('mark.current').evaluate(mark => {
      const { left, right } = mark.getBoundingClientRect()
      return left >= 0 && right <= innerWidth
    }),
  )
})

test('wrapped lines are seen whole, and the last one ends at the end', MORE_BROWSER_TEST, async () => {
  await using one = await openOutputPage(await browser())
  await one.page.getByRole('button', { name: 'Wrap' }).click()
  await one.write(
    Array.from({ length: 3000 }, (_, index) => `${index} ${'word '.repeat((index * 7) % 90)}\n`).join(''),
  )
  await waitForRows(one, 'the end', rows => rows.at(-1)?.startsWith('2999 ') === true)
  assert.equal(await one.list.evaluate(list => list.scrollWidth > list.clientWidth), false)
  await one.list.hover()
  const place = (): Promise<number> =>
    one.page.getByText(/^2990 /).evaluate(row => row.getBoundingClientRect().top)
  const before = await place()
  await one.page.mouse.wheel(0, -100)
  await waitFor('it moves by as many pixels', async () => Math.abs((await place()) - before - 100) <= 1)
  await one.list.focus()
  await one.page.keyboard.press('Home')
  await waitForRows(one, 'the start', rows => rows[0]?.startsWith('0 ') === true)
  await one.page.keyboard.press('End')
  await waitForRows(one, 'the end', rows => rows.at(-1)?.startsWith('2999 ') === true)
})

test(
  'few rows that are wrapped to more than the page has room for can be scrolled',
  MORE_BROWSER_TEST,
  async () => {
    await using one = await openOutputPage(await browser())
    await one.page.getByRole('button', { name: 'Wrap' }).click()
    await one.write(`first\n${'word '.repeat(2000)}\nlast\n`)
    await waitForRows(one, 'the end', rows => rows.at(-1) === 'last')
    await one.list.evaluate(list => {
      list.scrollTop = 0
    })
    await waitForRows(one, 'the start', rows => rows[0] === 'first')
  },
)

test('a line of megabytes without an end goes on from row to row', MORE_BROWSER_TEST, async () => {
  await using one = await openOutputPage(await browser())
  await one.write(`${'x'.repeat(4 * 1024 ** 2)}end`)
  await waitForRows(one, 'the end', rows => rows.at(-1) === 'end')
  await one.page.getByText('1 line').first().waitFor()
})

test('one stream alone is shown, and one stays where one was', MORE_BROWSER_TEST, async () => {
  await using one = await openOutputPage(await browser())
  for (let index = 0; index < 300; index++) {
    await one.write(`out ${index}\n`)
    await one.write(`err ${index}\n`, 'stderr')
  }
  await one.page.evaluate(() => outputPage.drop(2 * 1024 ** 2))
  await waitForRows(one, 'the end', rows => rows.at(-1) === '2.0 MB are not kept')
  await one.page.getByRole('button', { name: 'stderr' }).click()
  await waitForRows(one, 'stderr', rows => rows.at(-2) === 'err 299' && rows.at(-3) === 'err 298')
  await one.list.focus()
  await one.page.keyboard.press('PageUp')
  const [top] = await waitForRows(one, 'a page up', rows => rows.at(-1)?.startsWith('err 27') === true)
  await one.page.getByRole('button', { name: 'Both' }).click()
  await waitForRows(one, 'both', rows => rows.some(row => row.startsWith('out')) && rows[0] === top)
})

test('stderr is told apart for those who do not see its bar', MORE_BROWSER_TEST, async () => {
  await using one = await openOutputPage(await browser())
  await one.write('fine\n')
  await one.write('bad\n', 'stderr')
  await waitForRows(one, 'both rows', rows => rows.length === 2)
  const texts = await one.rows.allTextContents()
  assert.deepEqual(
    texts.map(text => text.trim()),
    ['fine', 'stderr: bad'],
  )
})

test('the time of a line stands beside it, the exact one behind it', MORE_BROWSER_TEST, async () => {
  await using one = await openOutputPage(await browser(), { timezoneId: 'Asia/Shanghai' })
  await one.write('a\n')
  await one.page.getByRole('button', { name: 'Times' }).click()
  const time = one.page.locator('.output-time')
  await time.waitFor()
  assert.equal(await time.textContent(), '14:15:30.123')
  assert.equal(await time.getAttribute('title'), '2026-07-29T08:15:30.123456+02:00')
})

test(
  'what is selected is copied as it was written, without times and numbers',
  MORE_BROWSER_TEST,
  async () => {
    await using one = await openOutputPage(await browser())
    await one.write('one\n\n  two\tthree\n')
    await one.write('four\n', 'stderr')
    for (const name of ['Times', 'Numbers']) await one.page.getByRole('button', { name }).click()
    await waitFor('the times', async () => (await one.page.locator('.output-time').count()) === 4)
    const text = await one.page.evaluate(() => {
      getSelection()!.selectAllChildren(document.querySelector('.output-rows')!)
      return getSelection()!.toString()
    })
    assert.equal(text, 'one\n\n  two\tthree\nfour')
  },
)

test('the output has no barrier, light and dark, in either language', BROWSER_TEST, async () => {
  const colours = Array.from({ length: 16 }, (_, index) => {
    const [ink, ground] = index < 8 ? [30 + index, 40 + index] : [82 + index, 92 + index]
    return `\x1b[${ink}mink ${index}\x1b[0m \x1b[${ground}mground ${index}\x1b[0m \x1b[${ink};7mreverse\x1b[0m\n`
  }).join('')
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const locale of ['en-US', 'zh-CN']) {
      await using one = await openOutputPage(await browser(), { colorScheme, locale })
      await one.write(`${colours}\x1b[2mdim\x1b[0m \x1b[7mreverse\x1b[0m a\u202eb needle needle\n`)
      await one.write('stderr\n', 'stderr')
      await one.page.evaluate(() => outputPage.drop(null))
      await one.page.evaluate(() => {
        for (const is of [outputPage.view.hasTimes, outputPage.view.hasNumbers]) is.value = true
        outputPage.view.search.ask('needle')
      })
      await waitFor('the marks', async () => (await one.page.locator('mark').count()) === 2)
      await one.page.evaluate(() => outputPage.view.nextHit())
      await one.page.locator('mark.current').waitFor()
      assert.deepEqual(await findBarriers(one.page), [])
    }
  }
})
