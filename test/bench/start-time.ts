import { startAgent } from './agent.ts'
import type { Checkout } from './bench.ts'
import { untilAnswered } from './http.ts'
import { residentMb } from './memory.ts'
import { freePort } from './ports.ts'
import type { Scratch } from './scratch.ts'

/** From the start of the process to its first answer, and what it has in memory then; it is ended again. */
export const measureStart = async (scratch: Scratch, launch: (port: number) => { pid: number }) => {
  const port = await freePort()
  const begin = performance.now()
  const { pid } = launch(port)
  await untilAnswered(`http://127.0.0.1:${port}/`)
  const startMs = performance.now() - begin
  const rssMb = residentMb(pid)
  await scratch.end(pid)
  return { startMs, rssMb }
}

/** The same for an agent. */
export const measureAgentStart = async (
  scratch: Scratch,
  checkout: Checkout,
  home: string,
  env: Record<string, string> = {},
) => {
  const agent = await startAgent(scratch, checkout, { home, port: await freePort(), env })
  const rssMb = residentMb(agent.pid)
  await agent.end()
  return { startMs: agent.startMs, rssMb }
}
