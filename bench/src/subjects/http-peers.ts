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
    return { ...server, request: { method: 'GET', path: '/', headers: [], body: '' } }
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
    return { ...server, request: { method: 'POST', path: '/bench', headers: [], body } }
  },
}
