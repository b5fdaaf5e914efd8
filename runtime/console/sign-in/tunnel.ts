/** How one comes to a page by a connection that nobody else can read: a command for a shell, then an address. */
export const tunnelTo = ({ hostname, port, pathname }: URL): { command: string; address: string } => {
  const to = Number(port || HTTP_PORT)
  const from = to < FIRST_FREE_PORT ? LOCAL_PORT : to
  const host = hostname.replace(/^\[|\]$/g, '')
  return {
    command: `ssh -L ${from}:localhost:${to} ${host}`,
    address: `http://localhost:${from}${pathname}`,
  }
}

const HTTP_PORT = 80
/** Only root may listen at those below. */
const FIRST_FREE_PORT = 1024
const LOCAL_PORT = 8080
