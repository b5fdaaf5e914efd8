/** What a user of a fleet may call an agent: as hosts are called, in lower case. */
export const isHostName = (text: string): boolean => /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/.test(text)

/** A label of an agent, `role=db`. Names have no dot, so that an authority can be read in one way only. */
export interface FleetLabel {
  name: string
  value: string
}

/** Undefined for a text that is none. */
export const parseLabel = (text: string): FleetLabel | undefined => {
  const [, name, value] = LABEL.exec(text) ?? []
  return name !== undefined && value !== undefined ? { name, value } : undefined
}

const LABEL = /^([a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?)=([a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?)$/

export const labelText = ({ name, value }: FleetLabel): string => `${name}=${value}`

/** Whom a message is for: one agent, all that have a label, one of those, or all there are. */
export type Address =
  | { to: 'host'; host: string }
  | { to: 'label' | 'any'; label: FleetLabel }
  | { to: 'all' }

/** The subject of an address, without the right that the sender uses, which comes last: `newdt.host.db1.run`. */
export const subjectOf = (address: Address): string => {
  switch (address.to) {
    case 'host':
      return `newdt.host.${token(address.host)}`
    case 'label':
    case 'any':
      return `newdt.${address.to}.${token(address.label.name)}.${token(address.label.value)}`
    case 'all':
      return 'newdt.all'
  }
}

/** What a signature names as its `@authority`, and what a URL has as its host. */
export const authorityOf = (address: Address): string => {
  switch (address.to) {
    case 'host':
      return `${address.host}.host.newdt`
    case 'label':
    case 'any':
      return `${address.label.value}.${address.label.name}.${address.to}.newdt`
    case 'all':
      return 'all.newdt'
  }
}

export type Priority = 'normal' | 'high'

/** Where what is to wait for a free slot is published. */
export const queueSubjectOf = (label: FleetLabel, priority: Priority = 'normal'): string =>
  `newdt.queue.${token(label.name)}.${token(label.value)}${priority === 'high' ? '.high' : ''}`

/** For both priorities. */
export const queueAuthorityOf = ({ name, value }: FleetLabel): string => `${value}.${name}.queue.newdt`

/** Where what is never run again is put aside; `_` where its id is none. */
export const deadSubjectOf = (label: FleetLabel, id = '_'): string =>
  `newdt.dead.${token(label.name)}.${token(label.value)}.${id}`

export const eventSubjectOf = (host: string, kind: string): string => `newdt.event.${token(host)}.${kind}`

/** A part of a subject has no dot; the names here have none of the other characters that mean something in one. */
const token = (text: string): string => text.replaceAll('.', '%2E')

/** The address that an authority is of; undefined when it is of none. */
export const addressOf = (authority: string): Address | undefined => {
  if (authority === 'all.newdt') return { to: 'all' }
  const [, host] = /^(.+)\.host\.newdt$/.exec(authority) ?? []
  if (host !== undefined) return isHostName(host) ? { to: 'host', host } : undefined
  const [, value, name, to] = /^(.+)\.([^.]+)\.(label|any)\.newdt$/.exec(authority) ?? []
  const label = parseLabel(`${name}=${value}`)
  return label && (to === 'label' || to === 'any') ? { to, label } : undefined
}
