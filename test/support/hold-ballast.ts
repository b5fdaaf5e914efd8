// Holds a ballast; does what it is told on its input, line by line, and says what came of it.
import { createInterface } from 'node:readline'
import { openBallast } from '../../lib/store/ballast.ts'

const ballast = await openBallast(process.argv[2]!)
console.log(ballast.isHeld())
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'give up') console.log(ballast.giveUp())
  if (line === 'is held') console.log(ballast.isHeld())
}
ballast.close()
