import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ERROR_REPLIES } from '../../handlers/http/error-replies.ts'
import { createJobEvents } from '../../lib/jobs/events.ts'
import { createMetrics } from '../../lib/metrics/metrics.ts'
import { ROOT } from '../support/agent.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
const LANGUAGES = ['.md', '.zh-CN.md']

/** The first of what each match has caught, sorted. */
const caught = (text: string, pattern: RegExp): string[] =>
  [...new Set([...text.matchAll(pattern)].map(([, first = '']) => first))].sort()

const ownMetrics = async (): Promise<string[]> => {
  const metrics = createMetrics({
    version: '',
    events: createJobEvents(error => assert.fail(String(error))),
    state: () => ({
      running: 0,
      limit: 0,
      isDraining: false,
      isStoreWritable: true,
      isAuditWritable: true,
      isGuardianMissing: false,
      guardianRestarts: 0,
    }),
    waiting: () => [],
    isInFleet: true,
    storeBytes: async () => 0,
  })
  return caught(await metrics.text(), /^# TYPE (newdt_\w+)/gm)
}

for (const language of LANGUAGES) {
  test(`docs/errors${language} explains each word of an error, under a heading of its own`, () => {
    const explained = caught(read(`docs/errors${language}`), /^### (.+)$/gm)
    assert.deepEqual(explained, Object.keys(ERROR_REPLIES).sort())
  })

  test(`docs/errors${language} tells the status of each error`, () => {
    const page = read(`docs/errors${language}`)
    const statusOf = (word: string): string | undefined => {
      const before = page.slice(0, page.indexOf(`### ${word}\n`))
      const own = /^HTTP (\d{3})[.,。，]/.exec(page.slice(page.indexOf(`### ${word}\n`)).split('\n')[2] ?? '')
      // Where a section has one status, it stands at its head: "All of them are 401."
      return (
        own?.[1] ??
        before
          .match(/(?:All of them are|全部是) (\d{3})/g)
          ?.at(-1)
          ?.slice(-3)
      )
    }
    for (const [word, { status }] of Object.entries(ERROR_REPLIES))
      assert.equal(statusOf(word), String(status), word)
  })

  test(`docs/configuration${language} has each setting`, () => {
    const files = globSync('runtime/{config,*/settings}.ts', { cwd: ROOT }).map(read)
    const known = caught(files.join('\n'), /^ {2}(AGENT_\w+):/gm)
    assert.ok(known.length > 20)
    assert.deepEqual(caught(read(`docs/configuration${language}`), /\*\*`(AGENT_\w+)`\*\*/g), known)
  })

  test(`docs/operations${language} has each metric of the agent's own`, async () => {
    const told = caught(read(`docs/operations${language}`), /\*\*`(newdt_\w+)[`{]/g)
    assert.deepEqual(told, await ownMetrics())
  })
}
