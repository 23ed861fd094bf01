import { Resolver } from 'node:dns/promises'
import { BlockList, isIP, type LookupFunction } from 'node:net'

/**
 * Networks in which requests of users have no business: one's own, and those that stand for one's own. What an IPv6 address carries of
 * IPv4 (mapped, compatible, 6to4, NAT64, Teredo) is refused as a whole: it has no use outside.
 */
const inside: readonly (readonly [net: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
]

const insideV4 = new BlockList()
const insideV6 = new BlockList()
// Node compares an IPv4 address with IPv6 networks as if it were mapped: the two are kept apart.
insideV6.addSubnet('::ffff:0:0', 96, 'ipv6')
insideV6.addSubnet('::ffff:0:0:0', 96, 'ipv6')
for (const [net, prefix] of inside) {
  if (isIP(net) === 4) insideV4.addSubnet(net, prefix, 'ipv4')
  else insideV6.addSubnet(net, prefix, 'ipv6')
}

/** Whether an address of the network is somewhere outside; what is no address is not. */
export function isOutside(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !insideV4.check(address, 'ipv4')
  // With a zone it is of one's own link.
  return family === 6 && !address.includes('%') && !insideV6.check(address, 'ipv6')
}

/**
 * Why nothing is posted there, for people; undefined where it may be. `targets`: hosts with ports that the operator allows
 * (`127.0.0.1:8080`), whatever they are. What a name leads to is looked at when it is connected to (`outsideLookup`).
 */
export function targetRefusal(text: string, targets: readonly string[]): string | undefined {
  const url = URL.parse(text)
  if (!url || !['https:', 'http:'].includes(url.protocol)) return 'Give a whole address that begins with https://.'
  if (url.username !== '' || url.password !== '' || url.hash !== '') {
    return 'Leave user name, password and fragment out of the address. Posts are signed.'
  }
  if (isAllowed(url, targets)) return undefined
  if (url.protocol !== 'https:') return 'Use https://. Plain http is only for what the operator of this server allows.'
  if (url.port !== '' && url.port !== '80')
    return 'Use port 443 or 80. Other ports are only for what the operator allows.'
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
  const isLiteral = isIP(host) !== 0
  if (isLiteral ? !isOutside(host) : isOwnName(host)) {
    return 'This address is not on the internet. Only the operator of this server can allow it.'
  }
  return undefined
}

/** Whether the operator allows just this host and port. */
export function isAllowed(url: URL, targets: readonly string[]): boolean {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return targets.includes(`${url.hostname}:${port}`)
}

/** Names that mean this machine or its own network wherever they are looked up. */
function isOwnName(host: string): boolean {
  return !host.includes('.') || /\.(localhost|local|internal|localdomain|home\.arpa)$/.test(host)
}

/** A name server that does not answer is asked twice. */
const lookupMs = 2_500
const lookupTries = 2

/** Asks a server of names. */
type Names = Pick<Resolver, 'resolve4' | 'resolve6'>

/** Node's other way of looking names up has four threads for the whole process: names that nobody answers for would hold them all. */
function machineNames(): Names {
  return new Resolver({ timeout: lookupMs, tries: lookupTries })
}

/** Looks names up and gives only what is outside, so that a name that leads inside connects to nothing. */
export function outsideLookup(names: () => Names = machineNames): LookupFunction {
  return (name, options, answer) => {
    void addressesOf(name, names()).then((found) => {
      const first = found[0]
      // One address inside is enough: it may be the one of the next try.
      if (!first) return answer(failure('it is not known', 'ENOTFOUND'), [])
      if (found.some(({ address }) => !isOutside(address))) return answer(failure('it leads inside', 'EINSIDE'), [])
      return options.all ? answer(null, [...found]) : answer(null, first.address, first.family)
    })
  }
}

/** Of both kinds; none where nobody answers. */
async function addressesOf(name: string, names: Names): Promise<readonly { address: string; family: 4 | 6 }[]> {
  const none = (): string[] => []
  const [four, six] = await Promise.all([names.resolve4(name).catch(none), names.resolve6(name).catch(none)])
  return [
    ...four.map((address) => ({ address, family: 4 as const })),
    ...six.map((address) => ({ address, family: 6 as const })),
  ]
}

function failure(text: string, code: string): Error {
  return Object.assign(new Error(text), { code })
}
