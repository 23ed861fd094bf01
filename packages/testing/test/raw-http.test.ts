import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { headerOf, openRawConnection, sendRawRequest } from '../src/raw-http.ts'
import type { RawConnection } from '../src/raw-http.ts'
import { startTcpPeer } from './tcp-pair.ts'

let server: Server
let port: number

beforeEach(async () => {
  server = createServer((request, response) => {
    if (request.url === '/chunked') {
      response.write('one ')
      response.end('two')
      return
    }
    const hosts = request.rawHeaders.filter((_, at) => at > 0 && request.rawHeaders[at - 1] === 'Host')
    response.setHeader('X-Hosts', hosts.join(' and '))
    response.setHeader('Content-Length', '5')
    response.setHeader('Set-Cookie', ['a=1', 'b=2'])
    response.end('plain')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})

afterEach(async () => {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
})

async function openTo(toPort: number): Promise<RawConnection> {
  const connection = await openRawConnection({ port: toPort })
  onTestFinished(() => connection[Symbol.asyncDispose]())
  return connection
}

test('several requests sent at once get their responses in order', async () => {
  const connection = await openTo(port)
  await connection.send(
    'HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET /chunked HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  )
  const head = await connection.readResponse({ method: 'HEAD' })
  expect([head.status, head.reason, head.body.length, headerOf(head, 'content-length')]).toEqual([200, 'OK', 0, '5'])
  expect((await connection.readResponse()).body.toString()).toBe('one two')
  const last = await connection.readResponse()
  expect(last.body.toString()).toBe('plain')
  expect(last.headers.filter(([name]) => name === 'Set-Cookie').map(([, value]) => value)).toEqual(['a=1', 'b=2'])
  expect((await connection.readToEnd()).length).toBe(0)
  expect(connection.end).toBe('end')
})

test('a request that is wrong on purpose goes out as it is', async () => {
  const twoHosts = await sendRawRequest({ port }, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n')
  // Node takes the first and says nothing: who must refuse the second has to look at the raw headers.
  expect([twoHosts.status, headerOf(twoHosts, 'x-hosts')]).toEqual([200, 'a and b'])
  const folded = await sendRawRequest({ port }, 'GET / HTTP/1.1\r\nHost: a\r\nX-Long: a\r\n b\r\n\r\n')
  expect(folded.status).toBe(400)
})

test('a trickled request is answered, and one to a server that hangs up says so', async () => {
  const connection = await openTo(port)
  const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
  expect(await connection.trickle(request, { sizeBytes: 3, everyMs: 1 })).toBe('sent')
  expect((await connection.readResponse()).status).toBe(200)

  const rude = await startTcpPeer((_, socket) => socket.resetAndDestroy())
  onTestFinished(() => rude.close())
  const toRude = await openTo(rude.port)
  expect(await toRude.trickle(Buffer.alloc(1000), { sizeBytes: 1, everyMs: 1 })).toBe('closed')
})

test('an answer that stops in the middle is told from one that never comes', async () => {
  const cutting = await startTcpPeer((_, socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'))
  onTestFinished(() => cutting.close())
  await expect(sendRawRequest({ port: cutting.port }, 'x')).rejects.toMatchObject({
    name: 'ByteReaderError',
    why: 'end',
  })
  const silent = await startTcpPeer()
  onTestFinished(() => silent.close())
  const waiting = sendRawRequest({ port: silent.port }, 'x', { deadlineMs: 20 })
  await expect(waiting).rejects.toMatchObject({ why: 'deadline' })
  const other = await startTcpPeer((_, socket) => socket.end('SSH-2.0-hello\r\n\r\n'))
  onTestFinished(() => other.close())
  await expect(sendRawRequest({ port: other.port }, 'x')).rejects.toThrow('not the first line of a response')
})

test('a connection can be finished and reset', async () => {
  const peer = await startTcpPeer((bytes, socket) => socket.end(bytes))
  onTestFinished(() => peer.close())
  const finishing = await openTo(peer.port)
  await finishing.send('last words')
  finishing.finish()
  expect((await finishing.readToEnd()).toString()).toBe('last words')
  await expect.poll(() => peer.ends[0]?.ended).toBe('end')
  const resetting = await openTo(peer.port)
  await expect.poll(() => peer.ends.length).toBe(2)
  resetting.reset()
  await expect.poll(() => peer.ends[1]?.ended).toBe('reset')
})
