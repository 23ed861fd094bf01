import type { IncomingMessage } from 'node:http'
import { BlockList, isIPv6 } from 'node:net'
import { addNetwork } from '../config/read-config.ts'

/** Where a request came from. */
export interface ClientAddress {
  address: string
  /** The request came through a proxy that is trusted. */
  proxied: boolean
}

/** Tells where requests come from; only trusted proxies may say so in a header. */
export interface AddressReader {
  read(request: IncomingMessage): ClientAddress
  isProxy(address: string): boolean
}

/** Reads addresses behind these proxies, and behind no other. */
export function addressReader(trustedProxies: readonly string[]): AddressReader {
  const proxies = new BlockList()
  for (const proxy of trustedProxies) addNetwork(proxies, proxy)
  const isProxy = (address: string): boolean => {
    if (trustedProxies.length === 0) return false
    const kind = isIPv6(address) ? 'ipv6' : 'ipv4'
    return address !== '' && proxies.check(address, kind)
  }
  return {
    isProxy,
    read: (request) => {
      const socketAddress = plainAddress(request.socket.remoteAddress ?? '')
      if (!isProxy(socketAddress) || !isForwarded(request)) return { address: socketAddress, proxied: false }
      // From the right: each proxy appends whom it saw, and what stands left of the first stranger anybody could have written.
      const chain = String(request.headers['x-forwarded-for'] ?? '')
        .split(',')
        .map((part) => plainAddress(part.trim()))
      const stranger = chain.findLast((address) => address !== '' && !isProxy(address))
      return { address: stranger?.slice(0, 64) ?? socketAddress, proxied: true }
    },
  }
}

/** True where a proxy says that it passes somebody's request on. */
export function isForwarded(request: IncomingMessage): boolean {
  const { headers } = request
  return (
    headers['x-forwarded-for'] !== undefined ||
    headers['x-forwarded-proto'] !== undefined ||
    headers['x-forwarded-host'] !== undefined ||
    headers['forwarded'] !== undefined
  )
}

/** Without the IPv6 clothes of an IPv4 address, and without a zone. */
function plainAddress(address: string): string {
  return (address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address).split('%', 1)[0] ?? ''
}
