import { createRequire } from 'node:module'
import { eventBytes } from '../dialects.ts'
import { nodeChild } from '../sample.ts'
import { type HttpSubject, Unavailable } from '../subject.ts'
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

const durableStreamsPackage = '@durable-streams/server'

/** The Node reference server of Durable Streams, kept in files: every append is synced before it is answered. */
export const durableStreams: HttpSubject = {
  name: durableStreamsPackage,
  async start(bench) {
    const module = resolvePackage(durableStreamsPackage)
    if (module === undefined) throw new Unavailable(`${durableStreamsPackage} is not installed`)
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

function resolvePackage(name: string): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(name)
  } catch {
    return undefined
  }
}
