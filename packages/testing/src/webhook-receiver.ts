import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Mood, Told } from './fake-channel.ts'

/** A request that came in, its signature checked. */
interface Received extends Told {
  headers: IncomingHttpHeaders
  body: { type: string; timestamp: string; data: Record<string, unknown> }
}

/** The other side of a webhook, as its document says that it should be written. */
export interface WebhookReceiver extends AsyncDisposable {
  readonly url: string
  /** Of each key once. */
  readonly told: Received[]
  /** The key of each that it took, as often as it came. */
  readonly came: string[]
  /** All that came, whatever it answered. */
  readonly tries: number
  mood: Mood
  /** Answered in place of what its mood says. */
  answer: { status: number; headers?: Record<string, string>; body?: string } | undefined
}

export async function startWebhookReceiver(secret: string, port = 0): Promise<WebhookReceiver> {
  const told: Received[] = []
  const came: string[] = []
  let tries = 0
  const server = createServer((request, response) => {
    void buffer(request).then((bytes) => {
      tries += 1
      const { headers } = request
      const text = bytes.toString('utf8')
      if (receiver.answer) {
        return response.writeHead(receiver.answer.status, receiver.answer.headers).end(receiver.answer.body)
      }
      if (!isSigned(secret, headers, text)) return response.writeHead(401).end()
      if (receiver.mood === 'is silent') return undefined
      if (receiver.mood === 'is away') return response.writeHead(503).end()
      if (receiver.mood === 'refuses') return response.writeHead(422).end()
      const key = String(headers['webhook-id'])
      came.push(key)
      const body = JSON.parse(text) as Received['body']
      const { id, requestId, words } = body.data as { id?: string; requestId?: string; words?: string }
      const what = body.type === 'permission-request' ? 'show' : 'withdraw'
      const one = { key, what, requestId: id ?? requestId ?? '', ...(words === undefined ? {} : { words }) } as const
      if (!told.some((before) => before.key === key)) told.push({ ...one, headers, body })
      return response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?for=us`,
    told,
    came,
    get tries() {
      return tries
    },
    mood: 'takes',
    answer: undefined,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return receiver
}

function isSigned(secret: string, headers: IncomingHttpHeaders, body: string): boolean {
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures } = headers
  if (Math.abs(Date.now() / 1_000 - Number(at)) > 300) return false
  const own = Buffer.from(
    `v1,${createHmac('sha256', key)
      .update(`${String(id)}.${String(at)}.${body}`)
      .digest('base64')}`,
  )
  return String(signatures)
    .split(' ')
    .some((given) => given.length === own.length && timingSafeEqual(Buffer.from(given), own))
}
