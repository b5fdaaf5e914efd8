// follow-events.ts <URL of the agent> <headers as JSON> <command>: runs a command that prints the time (seconds since
// 1970) on each line, follows its events and prints how long each line took to arrive, in milliseconds. A process of
// its own, so that its two clocks were set against each other a moment ago.
const [url, headersText, cmd] = process.argv.slice(2) as [string, string, string]
const headers = JSON.parse(headersText)
const now = (): number => performance.timeOrigin + performance.now()

/** The lines of one event, without the empty one. */
const latenciesOf = (event: string): number[] => {
  const fields = Object.fromEntries(event.split('\n').map(line => line.split(/: (.*)/s)))
  if (fields.event !== 'stdout') return []
  const lines: string[] = JSON.parse(fields.data).text.trimEnd().split('\n')
  const arrived = now()
  return lines.map(line => arrived - Number(line) * 1000)
}

const submission = await fetch(`${url}/api/jobs/execute/cmd`, {
  method: 'POST',
  headers,
  body: JSON.stringify({ cmd, async: true }),
})
const { data: job } = (await submission.json()) as { data: { id: string } }
const events = await fetch(`${url}/api/jobs/${job.id}/events`, { headers })
if (!events.ok) throw new Error(`the events were answered with ${events.status}`)

const latencies: number[] = []
let rest = ''
for await (const text of events.body!.pipeThrough(new TextDecoderStream())) {
  const complete = (rest + text).split('\n\n')
  rest = complete.pop()!
  for (const event of complete) latencies.push(...latenciesOf(event))
}
console.log(JSON.stringify(latencies))
