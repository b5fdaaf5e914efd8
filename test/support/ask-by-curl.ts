import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { noteAnswer } from './checked-fetch.ts'

/** The status and body of what the agent answers to curl with these arguments; it must be as /openapi.json has it. */
export const askByCurl = async (...args: string[]): Promise<{ status: number; body: string }> => {
  const { stdout } = await promisify(execFile)('curl', ['-sS', '-i', ...args])
  const end = stdout.indexOf('\r\n\r\n')
  const [first, ...fields] = stdout.slice(0, end).split('\r\n') as [string, ...string[]]
  const body = stdout.slice(end + 4)
  const status = Number(first.split(' ')[1])
  const url = args.find(arg => /^https?:/.test(arg)) ?? ''
  const isPost = ['-d', '--json', 'POST'].some(arg => args.includes(arg))
  noteAnswer({
    method: isPost ? 'POST' : 'GET',
    path: new URL(url).pathname,
    status,
    headers: new Headers(fields.map(field => field.split(/: (.*)/s).slice(0, 2) as [string, string])),
    text: body,
  })
  return { status, body }
}
