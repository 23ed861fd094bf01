import { createSocket } from 'node:dgram'

/** A server of names on loopback. */
export interface NameServer extends AsyncDisposable {
  /** As a resolver takes it. */
  readonly address: string
  /** IPv4 addresses by name; a name that is not in it gets no answer at all. */
  readonly names: Map<string, readonly string[]>
  /** Names that were asked for, as often as they were. */
  readonly asked: string[]
}

const headerBytes = 12
const typeA = 1

/** Answers for the names that it knows (RFC 1035), and is silent about all others. */
export async function startNameServer(): Promise<NameServer> {
  const socket = createSocket('udp4')
  const names = new Map<string, readonly string[]>()
  const asked: string[] = []
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = questionOf(query)
    asked.push(name)
    const known = names.get(name)
    if (known) socket.send(answerTo(query.subarray(0, end), type === typeA ? known : []), port, address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${socket.address().port}`,
    names,
    asked,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}

function questionOf(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = headerBytes
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

function answerTo(question: Buffer, addresses: readonly string[]): Buffer {
  const header = Buffer.from(question)
  // A response to a recursive query, without an error.
  header.writeUInt16BE(0x8180, 2)
  header.writeUInt16BE(addresses.length, 6)
  // What else the question brought along is not said again.
  header.writeUInt16BE(0, 8)
  header.writeUInt16BE(0, 10)
  const records = addresses.map((address) =>
    Buffer.from([0xc0, headerBytes, 0, typeA, 0, 1, 0, 0, 0, 1, 0, 4, ...address.split('.').map(Number)]),
  )
  return Buffer.concat([header, ...records])
}
