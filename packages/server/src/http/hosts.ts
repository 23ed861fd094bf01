import { isIPv6 } from 'node:net'

/** One name under which this server answers: what the Host header must be, letter by letter. */
export interface HostEntry {
  /** The origin that pages under this name have. */
  origin: string
  /** https: requests must come over TLS, here or at a trusted proxy. Otherwise they must come from this machine. */
  secure: boolean
}

/** By `Host` header; what is not in it is not served. */
export type HostTable = ReadonlyMap<string, HostEntry>

/** The names of a server: its public URL, and the loopback names where it listens there without TLS. Never a pattern. */
export function hostTable(of: {
  listen: readonly string[]
  port: number
  publicUrl: string | undefined
  tls: 'on' | 'off'
}): HostTable {
  const table = new Map<string, HostEntry>()
  const scheme = of.tls === 'on' ? 'https' : 'http'
  const loopback = of.listen.filter((address) => address === '::1' || address.startsWith('127.'))
  const wild = of.listen.some((address) => address === '0.0.0.0' || address === '::')
  const names = loopback.length > 0 || wild ? ['localhost', ...loopback.map(bracketed)] : []
  if (wild) names.push('127.0.0.1', '[::1]')
  for (const name of new Set(names)) {
    const { host, origin } = new URL(`${scheme}://${name}:${of.port}`)
    table.set(host, { origin, secure: of.tls === 'on' })
  }
  if (of.publicUrl !== undefined) {
    const { host, origin, protocol } = new URL(of.publicUrl)
    table.set(host, { origin, secure: protocol === 'https:' })
  }
  return table
}

function bracketed(address: string): string {
  return isIPv6(address) ? `[${address}]` : address
}
