import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createHome, ROOT, startAgent } from '../support/agent.ts'

interface Panel {
  id: number
  type: string
  title: string
  datasource?: { uid: string }
  targets?: { expr: string; datasource: { uid: string } }[]
}

interface Dashboard {
  panels: Panel[]
  templating: { list: { name: string; type: string; definition?: string }[] }
  annotations: { list: { expr: string }[] }
}

const dashboard = JSON.parse(readFileSync(join(ROOT, 'docs/grafana-dashboard.json'), 'utf8')) as Dashboard

const expressions = [
  ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
  ...dashboard.annotations.list.map(({ expr }) => expr),
  ...dashboard.templating.list.flatMap(({ definition }) => definition ?? []),
]

const namesIn = (expression: string): string[] =>
  [...expression.matchAll(/\b(?:newdt|nodejs|process)_\w+/g)].map(([name]) => name)

/** The names of the series that a text of metrics has or may have, a histogram's included. */
const seriesOf = (text: string): Set<string> =>
  new Set(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type]) =>
      type === 'histogram' ? ['_bucket', '_sum', '_count'].map(suffix => name + suffix) : [name],
    ),
  )

describe('the Grafana dashboard', () => {
  const home = createHome()

  test('asks for nothing that an agent does not tell, and shows all that is its own', async () => {
    const agent = await startAgent(home)
    const series = seriesOf(await (await agent.fetch('/metrics')).text())
    const used = new Set(expressions.flatMap(namesIn))
    assert.deepEqual([...used].filter(name => !series.has(name)).sort(), [])
    const unused = [...series].filter(name => name.startsWith('newdt_') && !used.has(name))
    assert.deepEqual(
      unused.filter(name => !/_(?:sum|count)$/.test(name)),
      [],
    )
    await agent.end()
  })

  test('takes its data from the source that is chosen, and has an id for each panel', () => {
    const { panels, templating } = dashboard
    assert.deepEqual(
      templating.list.map(({ name, type }) => `${name} ${type}`),
      ['datasource datasource', 'job query', 'instance query'],
    )
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
    for (const { type, title, datasource, targets = [] } of panels) {
      if (type === 'row') continue
      const sources = [datasource, ...targets.map(target => target.datasource)]
      assert.ok(
        sources.every(source => /^\$\{datasource\}$/.test(source?.uid ?? '')),
        title,
      )
      assert.ok(targets.length > 0, title)
    }
  })
})
