import { BlockList, isIP } from 'node:net'

/** IP addresses and ranges. */
export interface AddressList {
  /** Whether an address is in it, however it is written. */
  has(address: string): boolean
}

/** A list of addresses and CIDR ranges; `faults` are the indexes of items that are neither. */
export const parseAddresses = (items: readonly string[]): { list: AddressList; faults: number[] } => {
  const addresses = new BlockList()
  const faults = [...items.keys()].filter(index => !addTo(addresses, items[index]!))
  return { list: { has: address => contains(addresses, address) }, faults }
}

const contains = (addresses: BlockList, address: string): boolean => {
  const plain = plainAddress(address)
  const version = isIP(plain)
  return version !== 0 && addresses.check(plain, version === 6 ? 'ipv6' : 'ipv4')
}

/** An IPv4 client of a socket that listens on IPv6 has an address such as ::ffff:192.0.2.7. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '')

const addTo = (addresses: BlockList, text: string): boolean => {
  const [address = '', prefix, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  const family = version === 6 ? 'ipv6' : 'ipv4'
  if (prefix === undefined) {
    addresses.addAddress(address, family)
    return true
  }
  if (!/^\d{1,3}$/.test(prefix) || Number(prefix) > (version === 6 ? 128 : 32)) return false
  addresses.addSubnet(address, Number(prefix), family)
  return true
}
