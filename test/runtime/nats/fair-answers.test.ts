import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { connectTwice, serveMessages, URL_OF_HOST } from '../../support/nats-pair.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'
import { waitFor } from '../../support/wait-for.ts'

describe('callers who share the answers of an agent', NATS_TEST, () => {
  let engine: NatsServer
  let pair: Awaited<ReturnType<typeof connectTwice>>
  let served: Awaited<ReturnType<typeof serveMessages>> | undefined
  before(async () => {
    engine = await startNatsServer()
    pair = await connectTwice(engine)
  })
  afterEach(() => served?.close())
  after(async () => {
    await pair?.close()
    await engine?.end()
  })

  /** An agent with room for six answers, whose endpoint says who asks before it begins a job. */
  const serve = async () => {
    const begun: string[] = []
    const over = Promise.withResolvers<void>()
    served = await serveMessages(pair.ofAgent, {
      most: 6,
      async serve(request, { note }) {
        const caller = request.headers.get('x-caller')!
        note({ caller })
        begun.push(caller)
        await over.promise
        return new Response(caller)
      },
    })
    const ask = (caller: string) => pair.fetch(`${URL_OF_HOST}/`, { headers: { 'x-caller': caller } })
    return { begun, over, ask }
  }

  test('who has as many as one may have begins nothing more, is told so, and leaves room for others', async () => {
    const { begun, over, ask } = await serve()
    const held: Promise<Response>[] = []
    let refusal: { code?: string } | undefined
    while (!refusal) {
      const answer = ask('greedy')
      answer.catch(error => {
        refusal = error
      })
      held.push(answer)
      assert.ok(held.length <= 6, 'one caller has all answers')
      await waitFor('it is begun, or refused', () => refusal !== undefined || begun.length === held.length)
    }
    assert.equal(refusal.code, 'FLEET_NOT_BEGUN')
    const most = held.length - 1
    assert.ok(most >= 1)
    // The one that was refused has begun nothing, and another caller has room.
    assert.equal(begun.length, most)
    const other = ask('modest')
    await waitFor('the other one is begun', () => begun.includes('modest'))
    over.resolve()
    assert.equal(await (await other).text(), 'modest')
    const answers = await Promise.allSettled(held)
    assert.equal(answers.filter(({ status }) => status === 'fulfilled').length, most)
    await waitFor('all are over', () => served!.answers.size() === 0)
    // What has ended counts no more.
    assert.equal(await (await ask('greedy')).text(), 'greedy')
  })
})
