import { LineMessage } from '@hotline/protocol/agent-line'
import { waitFor } from './wait-for.ts'

type Heard = { type: string; request_id: string; agent: string; command?: string; data: Record<string, unknown> }

/** A plain client of `/ws/agents/:name`, as a script has it; every message is read against the schema. */
export class LineClient implements AsyncDisposable {
  readonly heard: Heard[] = []
  closed: { code: number; reason: string } | undefined
  readonly #socket: WebSocket

  /** Without a token it sends no header. */
  constructor(url: string, name: string, token: string) {
    const headers = token === '' ? {} : { Authorization: `Bearer ${token}` }
    // What Node takes beside the sub-protocols is not in the types of browsers.
    const options: unknown = { headers }
    this.#socket = new WebSocket(`${url.replace('http', 'ws')}/ws/agents/${name}`, options as string[])
    this.#socket.addEventListener('message', ({ data }) => {
      this.heard.push(LineMessage.parse(JSON.parse(String(data))) as unknown as Heard)
    })
    this.#socket.addEventListener('close', ({ code, reason }) => {
      this.closed = { code, reason }
    })
  }

  say(message: object | string): void {
    this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  /** As a binary message. */
  sayBytes(bytes: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(bytes)
  }

  command(command: string, request: string, data?: object): void {
    this.say({ type: 'command', command, request_id: request, ...(data ? { data } : {}) })
  }

  /** The first message, as soon as there is a connection. */
  async greet(message: object): Promise<void> {
    await waitFor(() => this.#socket.readyState === WebSocket.OPEN, { what: 'a connection' })
    this.say(message)
  }

  opened(): Promise<Heard> {
    return this.next((message) => message.type === 'connected')
  }

  next(fits: (message: Heard) => boolean): Promise<Heard> {
    return waitFor(() => this.heard.find(fits), {
      what: 'a message',
    })
  }

  answer(request: string): Promise<Heard> {
    return this.next(({ type, request_id: id }) => id === request && (type === 'response' || type === 'error'))
  }

  end(): Promise<{ code: number; reason: string }> {
    return waitFor(() => this.closed, { what: 'the end of the connection' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close()
    await this.end()
  }
}
