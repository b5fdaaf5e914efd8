import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { untilAnswered } from '../http.ts'
import type { Target } from '../load/load.ts'
import { freePort } from '../ports.ts'
import type { Scratch } from '../scratch.ts'

/** https://www.lighttpd.net with mod_cgi: one bash a request, in C. */
export const startLighttpd = async (scratch: Scratch, file: string): Promise<Target> => {
  const port = await freePort()
  const directory = scratch.directory('lighttpd')
  writeFileSync(join(directory, 'run.sh'), `echo 'Content-Type: text/plain'; echo\n`)
  writeFileSync(
    join(directory, 'lighttpd.conf'),
    `server.document-root = "${directory}"
server.errorlog = "${directory}/error.log"
server.bind = "127.0.0.1"
server.port = ${port}
server.max-keep-alive-requests = 65535
server.modules = ("mod_cgi")
cgi.assign = (".sh" => "/bin/bash")
`,
  )
  const { pid } = scratch.start(file, ['-D', '-f', join(directory, 'lighttpd.conf')])
  const url = `http://127.0.0.1:${port}/run.sh`
  await untilAnswered(url)
  return { url, pid }
}
