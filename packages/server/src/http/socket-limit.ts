import type { Server } from 'node:net'
import type { AddressReader } from './addresses.ts'

/** Closes connections at once that are more than one address may have open. Trusted proxies speak for many. */
export function limitSockets(server: Server, max: number, addresses: AddressReader): void {
  const open = new Map<string, number>()
  server.on('connection', (socket) => {
    const address = socket.remoteAddress ?? ''
    if (addresses.isProxy(address)) return
    const count = (open.get(address) ?? 0) + 1
    open.set(address, count)
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1
      if (left > 0) open.set(address, left)
      else open.delete(address)
    })
    if (count > max) socket.destroy()
  })
}
