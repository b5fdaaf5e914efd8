import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { announce } from './announce.ts'

// bare-http.ts <file with headers> <file with body>: the same answer to every request, by node:http alone.
const [headersFile, bodyFile] = process.argv.slice(2) as [string, string]
const headers = JSON.parse(readFileSync(headersFile, 'utf8'))
const body = readFileSync(bodyFile)

await announce(
  createServer((_request, response) => {
    response.writeHead(200, headers)
    response.end(body)
  }),
)
