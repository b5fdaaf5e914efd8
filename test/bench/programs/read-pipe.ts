import { spawn } from 'node:child_process'
import { once } from 'node:events'

// read-pipe.ts <command>: reads what a command writes and does nothing with it.
const begin = performance.now()
const child = spawn('bash', ['-c', process.argv[2]!], { stdio: ['ignore', 'pipe', 'inherit'] })
let bytes = 0
child.stdout.on('data', (chunk: Buffer) => {
  bytes += chunk.length
})
await once(child, 'close')
console.log(JSON.stringify({ bytes, seconds: (performance.now() - begin) / 1000 }))
