import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServerAdapter } from '@whatwg-node/server'
import { announce } from './announce.ts'

// bare-adapter.ts <file with headers> <file with body> <global | own>: the same answer to every request, a new
// Response each time, through the adapter that the agent uses; the global Response class or the adapter's own.
const [headersFile, bodyFile, kind] = process.argv.slice(2) as [string, string, string]
const headers = JSON.parse(readFileSync(headersFile, 'utf8'))
const body = readFileSync(bodyFile, 'utf8')

const adapter =
  kind === 'own'
    ? createServerAdapter((_request, _context, { Response }) => new Response(body, { headers }))
    : createServerAdapter(() => new Response(body, { headers }))

await announce(createServer(adapter))
