import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { burstBytes } from '../src/fault-flow.ts'
import { startFaultProxy } from '../src/fault-proxy.ts'
import type { FaultProxy } from '../src/fault-proxy.ts'
import { randomSeed, seededRandom } from '../src/seed.ts'
import { waitFor } from '../src/wait-for.ts'
import { connectTcp, dialTcp, startTcpPeer } from './tcp-pair.ts'
import type { TcpEnd, TcpPeer } from './tcp-pair.ts'

const seed = randomSeed('fault proxy test')

let peer: TcpPeer
let proxy: FaultProxy

async function openThrough(): Promise<{ client: TcpEnd; server: TcpEnd }> {
  const before = peer.ends.length
  const client = await connectTcp(proxy.port)
  onTestFinished(() => {
    client.socket.destroy()
  })
  return { client, server: await waitFor(() => peer.ends[before], { what: 'the connection at the target' }) }
}

function received(end: TcpEnd, bytes: Buffer): Promise<boolean> {
  return waitFor(() => end.received.length >= bytes.length, { what: `${bytes.length} bytes` })
}

beforeEach(async () => {
  const ownPeer = await startTcpPeer()
  const ownProxy = await startFaultProxy({ target: { host: '127.0.0.1', port: ownPeer.port }, seed })
  peer = ownPeer
  proxy = ownProxy
  return async () => {
    await ownProxy[Symbol.asyncDispose]()
    await ownPeer.close()
  }
})

describe('without a fault', () => {
  test('bytes, their order and the end of each side go through, and nothing stays open', async () => {
    const { client, server } = await openThrough()
    const bytes = seededRandom(seed).bytes(3_000_000)
    client.socket.write(bytes)
    server.socket.end('a short answer')
    await received(server, bytes)
    expect(server.received.equals(bytes)).toBe(true)
    await waitFor(() => client.ended === 'end', { what: "the target's FIN" })
    expect(client.received.toString()).toBe('a short answer')
    expect(proxy.connections).toBe(1)
    client.socket.end('after the FIN of the other side')
    await waitFor(() => server.ended === 'end', { what: "the client's FIN" })
    expect(server.received.subarray(bytes.length).toString()).toBe('after the FIN of the other side')
    await waitFor(() => proxy.connections === 0, { what: 'the connection to be gone' })
    expect(proxy.forwarded).toEqual({ toTarget: server.received.length, toClient: client.received.length })
    expect(proxy.cuts).toBe(0)
  })

  test('a reset of one side reaches the other', async () => {
    const { client, server } = await openThrough()
    server.socket.resetAndDestroy()
    await waitFor(() => client.ended === 'reset', { what: 'the reset' })
    await waitFor(() => proxy.connections === 0, { what: 'the connection to be gone' })
  })

  test('a reader that stopped is felt by the writer: the proxy holds little', async () => {
    const { client, server } = await openThrough()
    server.socket.pause()
    const block = Buffer.alloc(1_000_000)
    const writes = 60
    for (let write = 0; write < writes; write += 1) client.socket.write(block)
    let last = -1
    await waitFor(
      () => {
        const settled = proxy.forwarded.toTarget === last
        last = proxy.forwarded.toTarget
        return settled
      },
      { what: 'the flow to settle', everyMs: 100 },
    )
    // What is not in the kernel's buffers or the proxy's window is still the writer's own.
    expect(client.socket.writableLength).toBeGreaterThan(20_000_000)
    server.socket.resume()
    await waitFor(() => server.chunks.reduce((sum, chunk) => sum + chunk.length, 0) === writes * block.length, {
      what: 'all bytes after the reader went on',
    })
  })

  test('setTarget leads new connections elsewhere and leaves the open ones', async () => {
    const other = await startTcpPeer()
    onTestFinished(() => other.close())
    const { client, server } = await openThrough()
    proxy.setTarget({ host: '127.0.0.1', port: other.port })
    const second = await connectTcp(proxy.port)
    await waitFor(() => other.ends.length === 1, { what: 'the connection at the new target' })
    client.socket.write('old')
    second.socket.write('new')
    await received(server, Buffer.from('old'))
    await waitFor(() => other.ends[0]?.received.toString() === 'new', { what: 'bytes at the new target' })
    second.socket.destroy()
  })

  test('a target that nobody listens at resets the client', async () => {
    const gone = await startTcpPeer()
    await gone.close()
    proxy.setTarget({ host: '127.0.0.1', port: gone.port })
    const client = dialTcp(proxy.port)
    await waitFor(() => client.ended === 'reset', { what: 'the reset' })
    await waitFor(() => proxy.connections === 0, { what: 'the connection to be gone' })
  })
})

describe('sliceEvery', () => {
  test('1 delivers the same bytes, one at a time', async () => {
    const { client, server } = await openThrough()
    proxy.sliceEvery(1, { direction: 'toTarget' })
    const bytes = seededRandom(seed).bytes(3000)
    client.socket.write(bytes)
    server.socket.write(bytes)
    await received(server, bytes)
    await received(client, bytes)
    expect(server.received.equals(bytes)).toBe(true)
    expect(client.received.equals(bytes)).toBe(true)
    expect(server.chunks.length).toBeGreaterThan(bytes.length / 2)
    expect(client.chunks.length).toBeLessThan(10)
  })

  test('n splits at each n bytes, also what was written in other pieces', async () => {
    proxy.sliceEvery(7, { connections: 'new' })
    const { client, server } = await openThrough()
    const bytes = seededRandom(seed).bytes(700)
    for (let at = 0; at < bytes.length; at += 35) {
      client.socket.write(bytes.subarray(at, at + 35))
      await turn()
    }
    await received(server, bytes)
    expect(server.received.equals(bytes)).toBe(true)
    expect(server.chunks.length).toBeGreaterThan(50)
  })
})

describe('delay', () => {
  test('holds bytes and FIN back at least that long, and keeps their order under jitter', async () => {
    const { client, server } = await openThrough()
    proxy.delay(60, { jitterMs: 40, direction: 'toTarget' })
    const bytes = seededRandom(seed).bytes(2000)
    const startedAt = performance.now()
    for (let at = 0; at < bytes.length; at += 100) {
      client.socket.write(bytes.subarray(at, at + 100))
      await turn()
    }
    client.socket.end()
    await waitFor(() => server.chunks.length > 0, { what: 'the first bytes', everyMs: 1 })
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(59)
    await waitFor(() => server.ended === 'end', { what: 'the FIN' })
    expect(server.received.equals(bytes)).toBe(true)
  })

  test('restore delivers at once what was held back', async () => {
    const { client, server } = await openThrough()
    proxy.delay(3_600_000)
    client.socket.write('held')
    await turn()
    proxy.restore()
    await received(server, Buffer.from('held'))
    expect(proxy.cuts).toBe(0)
  })
})

describe('bandwidth', () => {
  test('never passes more than the rate allows for the time that went by, and passes all in the end', async () => {
    const bytesPerSecond = 200_000
    const { client, server } = await openThrough()
    const bytes = seededRandom(seed).bytes(60_000)
    proxy.bandwidth(bytesPerSecond, { direction: 'toTarget' })
    const startedAt = performance.now()
    const excess: number[] = []
    let count = 0
    server.socket.on('data', (chunk) => {
      count += chunk.length
      const allowed = burstBytes(bytesPerSecond) + ((performance.now() - startedAt) * bytesPerSecond) / 1000
      if (count > allowed) excess.push(count - allowed)
    })
    client.socket.write(bytes)
    await received(server, bytes)
    expect(server.received.equals(bytes)).toBe(true)
    expect(excess).toEqual([])
  })

  test('a rate of less than a byte per burst still moves', async () => {
    const { client, server } = await openThrough()
    proxy.bandwidth(40)
    client.socket.write('abc')
    await received(server, Buffer.from('abc'))
  })

  test('0 stops the flow, so that the writer keeps its bytes, and restore loses none of them', async () => {
    const { client, server } = await openThrough()
    proxy.bandwidth(0, { direction: 'toTarget' })
    const bytes = seededRandom(seed).bytes(30_000_000)
    client.socket.write(bytes)
    server.socket.write('the other way is free')
    await waitFor(() => client.received.length > 0, { what: 'the other way' })
    expect(server.received.length).toBe(0)
    expect(client.socket.writableLength).toBeGreaterThan(0)
    proxy.restore()
    await received(server, bytes)
    expect(server.received.equals(bytes)).toBe(true)
  })
})

describe('halfOpen', () => {
  test('delivers nothing and no FIN, and restore resets what lost something', async () => {
    const { client, server } = await openThrough()
    const untouched = await openThrough()
    proxy.halfOpen()
    client.socket.end('lost')
    server.socket.write('lost too')
    await waitFor(() => proxy.swallowed.toTarget === 4 && proxy.swallowed.toClient === 8, { what: 'lost bytes' })
    expect([client.ended, server.ended, proxy.connections]).toEqual(['open', 'open', 2])
    expect([client.received.length, server.received.length]).toEqual([0, 0])
    proxy.restore()
    await waitFor(() => client.ended === 'reset' && server.ended === 'reset', { what: 'both resets' })
    untouched.client.socket.write('lives')
    await received(untouched.server, Buffer.from('lives'))
    expect(untouched.client.ended).toBe('open')
  })

  test('a side that dies is not missed by the other', async () => {
    const { client, server } = await openThrough()
    proxy.halfOpen()
    client.socket.resetAndDestroy()
    server.socket.write('into the void')
    await waitFor(() => proxy.swallowed.toClient === 13, { what: 'lost bytes' })
    expect([server.ended, proxy.connections]).toEqual(['open', 1])
    proxy.cut()
    await waitFor(() => server.ended === 'reset', { what: 'the reset' })
  })

  test('of one direction leaves the other', async () => {
    const { client, server } = await openThrough()
    proxy.halfOpen({ direction: 'toClient' })
    client.socket.write('heard')
    await received(server, Buffer.from('heard'))
    server.socket.write('not heard')
    await waitFor(() => proxy.swallowed.toClient === 9, { what: 'lost bytes' })
    expect(client.received.length).toBe(0)
  })

  test('of new connections leaves the open ones', async () => {
    const old = await openThrough()
    proxy.halfOpen({ connections: 'new' })
    const { client, server } = await openThrough()
    client.socket.write('lost')
    old.client.socket.write('kept')
    await received(old.server, Buffer.from('kept'))
    await waitFor(() => proxy.swallowed.toTarget === 4, { what: 'lost bytes' })
    expect(server.received.length).toBe(0)
  })
})

describe('cuts', () => {
  test('cut resets both sides of all that is open and serves what comes after', async () => {
    const pairs = [await openThrough(), await openThrough()]
    proxy.cut()
    await waitFor(() => pairs.every(({ client, server }) => client.ended === 'reset' && server.ended === 'reset'), {
      what: 'four resets',
    })
    expect([proxy.connections, proxy.cuts]).toEqual([0, 2])
    const { client, server } = await openThrough()
    client.socket.write('again')
    await received(server, Buffer.from('again'))
  })

  test('refuse accepts and resets, and open connections go on', async () => {
    const { client, server } = await openThrough()
    proxy.refuse()
    const refused = dialTcp(proxy.port)
    await waitFor(() => refused.ended === 'reset', { what: 'the refusal' })
    client.socket.write('still here')
    await received(server, Buffer.from('still here'))
    expect([proxy.connections, proxy.accepted, peer.ends.length]).toEqual([1, 2, 1])
    proxy.restore()
    await openThrough()
  })

  test('cutAfterBytes delivers exactly so many bytes, wherever the writes end', async () => {
    for (const sizeBytes of [0, 1, 999, 1000, 1001, 70_000]) {
      proxy.cutAfterBytes(sizeBytes, 'toTarget')
      const { client, server } = await openThrough()
      const bytes = seededRandom(seed).bytes(100_000)
      client.socket.write(bytes.subarray(0, 1000))
      client.socket.write(bytes.subarray(1000))
      await waitFor(() => client.ended === 'reset' && server.ended === 'reset', { what: `the cut at ${sizeBytes}` })
      expect(server.received.equals(bytes.subarray(0, sizeBytes))).toBe(true)
    }
    proxy.restore()
    const { client, server } = await openThrough()
    client.socket.write('no cut')
    await received(server, Buffer.from('no cut'))
  })

  test('cutAfterBytes counts from its call on, and other faults do not start the count again', async () => {
    const { client, server } = await openThrough()
    client.socket.write('before')
    await received(server, Buffer.from('before'))
    proxy.cutAfterBytes(4, 'toTarget')
    client.socket.write('abc')
    await received(server, Buffer.from('beforeabc'))
    proxy.sliceEvery(1)
    client.socket.write('def')
    await waitFor(() => server.ended === 'reset', { what: 'the cut' })
    expect(server.received.toString()).toBe('beforeabcd')
  })
})

describe('dropAnswer', () => {
  test('lets the request through and cuts before the first byte of the answer', async () => {
    const answering = await startTcpPeer((bytes, socket) => socket.write(`answer to ${bytes.toString()}`))
    onTestFinished(() => answering.close())
    proxy.setTarget({ host: '127.0.0.1', port: answering.port })
    const client = await connectTcp(proxy.port)
    client.socket.write('one')
    await received(client, Buffer.from('answer to one'))
    proxy.dropAnswer({ afterMs: 1 })
    const pushed = answering.ends[0]
    pushed?.socket.write('; news')
    await received(client, Buffer.from('answer to one; news'))
    client.socket.write('two')
    await waitFor(() => client.ended === 'reset', { what: 'the cut' })
    expect(client.received.toString()).toBe('answer to one; news')
    expect(answering.ends[0]?.received.toString()).toBe('onetwo')
    expect(proxy.cuts).toBe(1)
    proxy.restore()
    const retry = await connectTcp(proxy.port)
    retry.socket.write('two')
    await received(retry, Buffer.from('answer to two'))
    retry.socket.destroy()
  })
})

test('faults add up: slices, delay and a low rate together keep every byte in order', async () => {
  const { client, server } = await openThrough()
  proxy.sliceEvery(3)
  proxy.delay(5, { jitterMs: 10 })
  proxy.bandwidth(20_000)
  const bytes = seededRandom(seed).bytes(4000)
  client.socket.end(bytes)
  server.socket.end(bytes)
  await waitFor(() => server.ended === 'end' && client.ended === 'end', { what: 'both FINs' })
  expect(server.received.equals(bytes)).toBe(true)
  expect(client.received.equals(bytes)).toBe(true)
})

test('amounts that make no sense are refused', () => {
  expect(() => proxy.sliceEvery(0)).toThrow(RangeError)
  expect(() => proxy.bandwidth(-1)).toThrow(RangeError)
  expect(() => proxy.delay(Number.NaN)).toThrow(RangeError)
  expect(() => proxy.cutAfterBytes(-1, 'toClient')).toThrow(RangeError)
})

test('stop resets what is open, frees the port and can be called twice', async () => {
  const { client } = await openThrough()
  await proxy.stop()
  await proxy.stop()
  await waitFor(() => client.ended === 'reset', { what: 'the reset' })
  await expect(connectTcp(proxy.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})
