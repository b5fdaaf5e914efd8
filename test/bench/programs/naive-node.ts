import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { announce } from './announce.ts'

// naive-node.ts: runs one fixed command a request with nothing but what Node brings. No store, no signature, no
// limit, and what a job leaves behind is nobody's.
const server = createServer((request, response) => {
  request.resume()
  const child = spawn('bash', ['-c', ':'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', chunk => {
    output.stdout += chunk
  })
  child.stderr.on('data', chunk => {
    output.stderr += chunk
  })
  child.once('close', exitCode => {
    const body = JSON.stringify({ pid: child.pid, exitCode, ...output })
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    response.end(body)
  })
})

await announce(server)
