import { fastify } from 'fastify'
import { serveUntilInputEnds } from './announce.ts'

// Fastify with nothing in it: one route that returns `--bytes` bytes of JSON (default 200).

const bytesAt = process.argv.indexOf('--bytes')
const bytes = bytesAt === -1 ? 200 : Number(process.argv[bytesAt + 1])
const body = { text: 'x'.repeat(Math.max(0, bytes - JSON.stringify({ text: '' }).length)) }

const app = fastify({ logger: false })
app.get('/', () => body)
await app.ready()
serveUntilInputEnds(app.server, () => undefined)
