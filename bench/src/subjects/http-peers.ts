import { eventBytes } from '../dialects.ts'
import { installPeer, type Peer } from '../install-peer.ts'
import { nodeChild } from '../sample.ts'
import type { HttpSubject } from '../subject.ts'
import { startChildServer } from './child-server.ts'

/** Fastify with one route and nothing else. */
export const bareFastify: HttpSubject = {
  name: 'bare Fastify',
  async start(bench) {
    const url = new URL('../peers/fastify.ts', import.meta.url)
    const server = await startChildServer(nodeChild(url, [], bench))
    return { ...server, request: { method: 'GET', path: '/', headers: [], body: '' }, stored: undefined }
  },
}

/** The Node reference server of Durable Streams, in the version that is measured. */
export const durableStreamsPeer: Peer = { name: '@durable-streams/server', version: '0.3.7' }

/** It is kept in files: every append is synced before it is answered. */
export const durableStreams: HttpSubject = {
  name: durableStreamsPeer.name,
  async start(bench) {
    const module = await installPeer(durableStreamsPeer, bench.signal)
    const url = new URL('../peers/durable-streams.ts', import.meta.url)
    const server = await startChildServer(nodeChild(url, [module, bench.scratch], bench))
    const filler = JSON.stringify({ type: 'output.appended', id: '{id}', text: '' })
    const body = JSON.stringify({
      type: 'output.appended',
      id: '{id}',
      text: 'x'.repeat(eventBytes - filler.length - 'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx'.length + '{id}'.length),
    })
    const request = { method: 'POST', path: '/bench', headers: [], body }
    return { ...server, request, stored: () => countMessages(`http://127.0.0.1:${server.port}/bench`) }
  },
}

/** Reads a stream of Durable Streams to its end. */
async function countMessages(url: string): Promise<number> {
  let count = 0
  for (let offset: string | null = '-1'; offset !== null;) {
    const response = await fetch(`${url}?offset=${offset}`)
    if (!response.ok) throw new Error(`the stream cannot be read: ${response.status}`)
    const messages = (await response.json()) as readonly unknown[]
    count += messages.length
    offset = messages.length === 0 ? null : response.headers.get('stream-next-offset')
  }
  return count
}
