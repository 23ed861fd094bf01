import { isIPv6 } from 'node:net'

/** The address, or for IPv6 the /64 that one customer usually has: the unit that limits count by. */
export function networkOf(address: string): string {
  if (!isIPv6(address)) return address
  const [head = '', tail] = address.toLowerCase().split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => '0')
  const groups = [...left, ...zeros, ...right].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16))
  return `${groups.join(':')}::/64`
}

/**
 * What one customer may have at most, of a network as above: for IPv6 the /48 around it, from which somebody has thousands
 * of networks at no cost. For what must not be multiplied by them.
 */
export function neighbourhoodOf(network: string): string {
  const groups = network.endsWith('::/64') ? network.slice(0, -'::/64'.length).split(':') : undefined
  return groups === undefined ? network : `${groups.slice(0, 3).join(':')}::/48`
}
