import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Step } from '../src/script.ts'
import { scriptPrompt } from '../src/script.ts'

/** The real program. */
export const AGENT_FILE: string = fileURLToPath(new URL('../bin/demo-agent.js', import.meta.url))

/** One JSON-RPC message, as loose as the wire. */
export interface Message {
  id?: string | number | null
  method?: string
  params?: Record<string, unknown>
  result?: Record<string, unknown>
  error?: { code: number; message: string }
}

/** One session/update's update. */
export interface Update extends Record<string, unknown> {
  sessionUpdate: string
  toolCallId?: string
  status?: string
  content?: unknown
}

/** A demo agent's process and a bare client that hides nothing: every line that came out of it is there to see. */
export interface AgentProcess extends AsyncDisposable {
  readonly child: ChildProcess
  /** A folder of its own, removed at the end. */
  readonly cwd: string
  readonly lines: string[]
  readonly messages: Message[]
  stderr(): string
  send(message: Message): void
  sendRaw(text: string): void
  request(method: string, params: Record<string, unknown>): Promise<Message>
  notify(method: string, params: Record<string, unknown>): void
  /** initialize and session/new; resolves to the session's id. */
  open(capabilities?: Record<string, unknown>): Promise<string>
  prompt(sessionId: string, text: string): Promise<Message>
  play(sessionId: string, steps: readonly Step[]): Promise<Message>
  updates(): Update[]
  /** The agent's messages joined. */
  said(): string
  /** The permission requests and questions that came in. */
  asked(method?: string): Message[]
  exited(): Promise<{ code: number | null; signal: string | null }>
}

export interface StartOptions {
  args?: string[]
  env?: Record<string, string>
  cwd?: string
  /** Answers the agent's requests; without it, or with null, they stay open until the test answers. */
  answer?: (request: Message) => Record<string, unknown> | null
}

/** Answers permission requests with the first option of a kind. */
export function choose(kind: string): (request: Message) => Record<string, unknown> | null {
  return ({ params }) => {
    const options = params?.['options'] as { optionId: string; kind: string }[] | undefined
    const option = options?.find((candidate) => candidate.kind === kind)
    return option ? { outcome: { outcome: 'selected', optionId: option.optionId } } : null
  }
}

/** Starts the real program. */
export async function startAgent({ args = [], env = {}, cwd, answer }: StartOptions = {}): Promise<AgentProcess> {
  const folder = cwd ?? (await mkdtemp(join(tmpdir(), 'demo-agent-')))
  const child = spawn(process.execPath, [AGENT_FILE, ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOTLINE_DEMO_PACE: '0', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  // Not "exit": what it said last may come after that.
  const ended = once(child, 'close').then(([code, signal]) => {
    return { code: code as number | null, signal: signal as string | null }
  })
  const lines: string[] = []
  const messages: Message[] = []
  const waiting = new Map<unknown, (message: Message) => void>()
  let stderr = ''
  let lastId = 0

  const sendRaw = (text: string): void => void child.stdin.write(text)
  const send = (message: Message): void => sendRaw(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  const receive = (line: string): void => {
    lines.push(line)
    const message = parse(line)
    if (!message) return
    messages.push(message)
    if (message.method === undefined) {
      waiting.get(message.id)?.(message)
      waiting.delete(message.id)
    } else if (message.id !== undefined) {
      const result = answer?.(message)
      if (result) send({ id: message.id, result })
    }
  }
  const request = (method: string, params: Record<string, unknown>): Promise<Message> => {
    lastId += 1
    const id = lastId
    const reply = new Promise<Message>((resolve) => waiting.set(id, resolve))
    send({ id, method, params })
    return reply
  }
  const prompt = (sessionId: string, text: string): Promise<Message> =>
    request('session/prompt', { sessionId, prompt: [{ type: 'text', text }] })
  const updates = (): Update[] =>
    messages.flatMap(({ method, params }) => (method === 'session/update' ? [params?.['update'] as Update] : []))

  let rest: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      receive(Buffer.concat([...rest, chunk.subarray(from, at)]).toString('utf8'))
      rest = []
      from = at + 1
    }
    if (from < chunk.length) rest.push(chunk.subarray(from))
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.on('error', () => undefined) // the agent may be gone; exited() tells

  return {
    child,
    cwd: folder,
    lines,
    messages,
    stderr: () => stderr,
    send,
    sendRaw,
    request,
    notify: (method, params) => send({ method, params }),
    open: async (capabilities = {}) => {
      await request('initialize', { protocolVersion: 1, clientCapabilities: capabilities })
      const reply = await request('session/new', { cwd: folder, mcpServers: [] })
      return String(reply.result?.['sessionId'])
    },
    prompt,
    play: (sessionId, steps) => prompt(sessionId, scriptPrompt(steps)),
    updates,
    said: () =>
      updates()
        .filter((update) => update?.sessionUpdate === 'agent_message_chunk')
        .map(({ content }) => (content as { text: string }).text)
        .join(''),
    asked: (method = 'session/request_permission') => messages.filter((message) => message.method === method),
    exited: () => ended,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      // Nobody reads what it still said.
      child.stdout.destroy()
      await ended
      if (cwd === undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}

function parse(line: string): Message | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null
  } catch {
    return null
  }
}
