import { type AddressList, parseAddresses } from '../security/address-list.ts'

/** To which addresses a callback may go. `allowed` are exceptions. */
export const createAddressRules = (allowed: AddressList) => ({
  /** For an address as the system writes it; false for what is none. */
  mayConnect(address: string): boolean {
    const plain = address.replace(/%.*$/, '') // The zone of a link-local address.
    const real = embeddedAddress(plain) ?? plain
    if (allowed.has(real) || allowed.has(plain)) return true
    return isAddress.has(real) && ![real, plain].some(one => FORBIDDEN.has(one)) && !isIsatap(plain)
  },
})

export type AddressRules = ReturnType<typeof createAddressRules>

const listOf = (...items: string[]): AddressList => parseAddresses(items).list

const isAddress = listOf('0.0.0.0/0', '::/0')

/** Where a host, its neighbours on the link, or its cloud tell more than they tell strangers; and what is no host. */
const FORBIDDEN = listOf(
  // This host.
  '0.0.0.0/8',
  '127.0.0.0/8',
  '::/128',
  '::1/128',
  // The link, with the metadata service of most clouds.
  '169.254.0.0/16',
  'fe80::/10',
  // Metadata and host services elsewhere: AWS, Google, Alibaba, Oracle, Azure, Scaleway.
  'fd00:ec2::/32',
  'fd20:ce::/32',
  'fd00:42::/32',
  '100.100.100.200/32',
  '192.0.0.0/24',
  '168.63.129.16/32',
  // Many hosts, or none: multicast, reserved, benchmarking, IPv6's old site-local.
  '224.0.0.0/4',
  '240.0.0.0/4',
  'ff00::/8',
  'fec0::/10',
  '100::/64',
  // Translators of a site's own (RFC 8215), which may put the IPv4 address anywhere (RFC 6052).
  '64:ff9b:1::/48',
)

/**
 * The IPv4 address to which a packet for an IPv6 address goes in the end: mapped and compatible ones (RFC 4291), those
 * that a translator makes (RFC 6052), 6to4 (RFC 3056), Teredo (RFC 4380). Undefined for all others.
 */
const embeddedAddress = (address: string): string | undefined => {
  if (!address.includes(':')) return undefined
  const groups = groupsOf(address)
  if (!groups) return undefined
  const [a, b, c, d, e, f, g, h] = groups as [number, number, number, number, number, number, number, number]
  const startsWithZeros = a === 0 && b === 0 && c === 0 && d === 0
  if (startsWithZeros && e === 0 && (f === 0xffff || (f === 0 && (g > 0 || h > 1)))) return ipv4(g, h)
  if (startsWithZeros && e === 0xffff && f === 0) return ipv4(g, h)
  if (a === 0x64 && b === 0xff9b) return ipv4(g, h)
  if (a === 0x2002) return ipv4(b, c)
  if (a === 0x2001 && b === 0) return ipv4(g ^ 0xffff, h ^ 0xffff)
  return undefined
}

/** An address of ISATAP (RFC 5214), in whatever network, leads to the IPv4 address at its end. */
const isIsatap = (address: string): boolean => {
  const [, , , , e = 0, f] = (address.includes(':') && groupsOf(address)) || []
  return (e & 0xfdff) === 0 && f === 0x5efe
}

const ipv4 = (high: number, low: number): string => [high >> 8, high & 255, low >> 8, low & 255].join('.')

/** The eight groups of an IPv6 address; undefined for what is none. */
const groupsOf = (address: string): number[] | undefined => {
  // WHATWG URL writes each in one way: in hex, with the longest run of zeros left out.
  const written = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1)
  if (written === undefined) return undefined
  const [head = '', tail] = written.split('::')
  const numbers = (text: string): number[] =>
    text === '' ? [] : text.split(':').map(group => Number.parseInt(group, 16))
  const [first, last] = [numbers(head), numbers(tail ?? '')]
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last]
}
