import { catchSignals } from './early-signals.ts'

// Loading the rest takes most of a start. What comes meanwhile must not end the agent, or open it to anybody.
const signals = catchSignals()
const { run } = await import('./agent-process.ts')
await run(signals)
