import { PermissionBatch, PermissionMessage } from '@hotline/protocol/permissions'
import { WebSocket } from 'ws'
import { waitFor } from './wait-for.ts'

type Heard = { type: PermissionMessage['type']; seq: number; [member: string]: unknown }

/** How a client comes in. */
interface Way {
  path?: string
  protocols?: readonly string[]
  headers?: Readonly<Record<string, string>>
}

/** A plain client of `permissions.v1`, as a script has it; every message is read against the schema. */
export class PermissionClient implements AsyncDisposable {
  readonly heard: Heard[] = []
  /** How many messages came together, for each time that several did. */
  readonly batches: number[] = []
  closed: { code: number; reason: string } | undefined
  readonly socket: WebSocket

  /** Without a token it sends no header. */
  constructor(
    url: string,
    token: string,
    { path = '/ws/permissions', protocols = ['permissions.v1'], headers = {} }: Way = {},
  ) {
    const credential = token === '' ? {} : { Authorization: `Bearer ${token}` }
    this.socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, [...protocols], {
      headers: { ...credential, ...headers },
    })
    this.socket.on('message', (data: Buffer) => {
      const said = JSON.parse(data.toString('utf8')) as { type: string }
      const batch = said.type === 'permission-batch' ? PermissionBatch.parse(said) : undefined
      if (batch) this.batches.push(batch.messages.length)
      this.heard.push(...(batch?.messages ?? [PermissionMessage.parse(said)]))
    })
    // Told by the close that follows.
    this.socket.on('error', () => undefined)
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString('utf8') }
    })
  }

  say(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  respond(requestId: string, decision: string, more: object = {}): void {
    this.say({ type: 'permission-response', requestId, decision, ...more })
  }

  /** The first message, as soon as there is a connection. */
  async greet(message: object): Promise<void> {
    await waitFor(() => this.socket.readyState === WebSocket.OPEN, { what: 'a connection' })
    this.say(message)
  }

  /** All that was open has been told. */
  ready(): Promise<Heard> {
    return this.next(({ type }) => type === 'permission-queue-status')
  }

  next(fits: (message: Heard) => boolean): Promise<Heard> {
    return waitFor(() => this.heard.find(fits), { what: 'a message' })
  }

  /** What is said of one request. */
  about(type: Heard['type'], requestId: string): Promise<Heard> {
    return this.next((one) => one.type === type && (one['requestId'] ?? one['id']) === requestId)
  }

  of(type: Heard['type']): readonly Heard[] {
    return this.heard.filter((one) => one.type === type)
  }

  end(): Promise<{ code: number; reason: string }> {
    return waitFor(() => this.closed, { what: 'the end of the connection' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close()
    await this.end()
  }
}
