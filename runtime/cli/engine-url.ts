/** Where the engine of a fleet is: URLs with commas between them, which may have a user and a password in them. */
export const isEngineUrl = (text: string): boolean =>
  text.split(',').every(one => {
    const url = URL.parse(one.trim())
    return (
      url !== null && /^(nats|tls):$/.test(url.protocol) && url.hostname !== '' && /^\/?$/.test(url.pathname)
    )
  })

/** What a subject of answers may begin with, no longer than an agent takes it. */
export const INBOX = /^(?!newdt\.)(?=.{1,128}$)[\w-]+(\.[\w-]+)*$/i

/** Without a password. */
export const bareServers = (url: string): string[] =>
  url.split(',').map(one => {
    const { protocol, host } = new URL(one.trim())
    return `${protocol}//${host}`
  })

/** Of the first URL that has one; without a password it is a token. */
export interface EngineUser {
  name: string
  password: string | undefined
}

export const userOf = (url: string): EngineUser | undefined => {
  const found = url
    .split(',')
    .map(one => new URL(one.trim()))
    .find(({ username }) => username !== '')
  if (!found) return undefined
  const { username, password } = found
  return {
    name: decodeURIComponent(username),
    password: password === '' ? undefined : decodeURIComponent(password),
  }
}
