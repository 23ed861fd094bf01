import { once } from 'node:events'
import { WebSocket } from 'ws'

/** A browser that does not answer a command for so long hangs; the command is refused. */
const answerDeadlineMs = 60_000

/** One session of WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/): commands with answers, and what it tells. */
export interface BidiSession {
  /** Rejects with the browser's own words for what it refuses, and when the connection ends. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the answer's type
  send<T>(method: string, params: object): Promise<T>
  on(method: string, hear: (params: Record<string, unknown>) => void): void
  close(): void
}

interface Waiting {
  resolve: (result: unknown) => void
  reject: (why: Error) => void
  deadline: NodeJS.Timeout
}

interface Frame {
  id?: number | null
  type: string
  result?: unknown
  error?: string
  message?: string
  method?: string
  params?: Record<string, unknown>
}

/** Connects to a browser that listens, and begins its session. */
export async function openBidiSession(url: string): Promise<BidiSession> {
  const socket = new WebSocket(url)
  await once(socket, 'open')
  const waiting = new Map<number, Waiting>()
  const ears = new Map<string, (params: Record<string, unknown>) => void>()
  let id = 0
  socket.on('message', (bytes: Buffer) => {
    const frame = JSON.parse(bytes.toString('utf8')) as Frame
    if (frame.type === 'event') return ears.get(frame.method ?? '')?.(frame.params ?? {})
    const asked = waiting.get(frame.id ?? -1)
    if (!asked) return
    waiting.delete(frame.id ?? -1)
    clearTimeout(asked.deadline)
    if (frame.type === 'success') asked.resolve(frame.result)
    else asked.reject(new Error(`${frame.error}: ${frame.message}`))
  })
  socket.on('error', () => socket.terminate())
  socket.on('close', () => {
    for (const { reject, deadline } of waiting.values()) {
      clearTimeout(deadline)
      reject(new Error('the connection to the browser ended'))
    }
    waiting.clear()
  })
  const send: BidiSession['send'] = <T>(method: string, params: object): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const mine = (id += 1)
      const deadline = setTimeout(() => {
        waiting.delete(mine)
        reject(new Error(`${method} was not answered in ${answerDeadlineMs} ms`))
      }, answerDeadlineMs)
      waiting.set(mine, { resolve: (result) => resolve(result as T), reject, deadline })
      socket.send(JSON.stringify({ id: mine, method, params }))
    })
  await send('session.new', { capabilities: {} })
  return { send, on: (method, hear) => void ears.set(method, hear), close: () => socket.close() }
}
