import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { spawnTerminal } from '@hotline/runner/process/terminal'
import { quantile } from '../statistics.ts'

// The same program read to its end: by a bare loop, or by a runner into the log of a server. Beside the latter, somebody
// else renames another session again and again: how long the answers take is compared with how long they took before.

const flag = { type: 'string', default: '' } as const
const { values } = parseArgs({
  options: {
    kind: flag,
    count: flag,
    scratch: flag,
    port: flag,
    person: flag,
    runner: flag,
    stream: flag,
    fence: flag,
    'quiet-ms': flag,
  },
})
const count = Number(values.count)
/** Characters of each piece that the agent says. */
const pieceChars = 40
const everyMs = 20
const lookEveryMs = 50

interface Read {
  ms: number
  bytes: number
  latenciesMs?: { quiet: number[]; beside: number[] }
}

const demo = [
  process.execPath,
  new URL('../bin/demo-agent.js', import.meta.resolve('@hotline/demo-agent/main')).pathname,
]
const prompt = scriptPrompt([{ do: 'flood', count, bytes: pieceChars }])
const counting = ['seq', '1', String(count)]

/** Read by a loop that does nothing with it. */
function readBare(): Promise<number> {
  if (values.kind === 'pty') return readTerminal()
  return values.kind === 'pipe' ? readPipe() : readAgent()
}

function readTerminal(): Promise<number> {
  const env = { PATH: process.env['PATH'] ?? '' }
  const spec = { session: 's', run: 'r', argv: ['/usr/bin/env', ...counting], cwd: values.scratch, env }
  const terminal = spawnTerminal(spec, { cols: 120, rows: 40 })
  let bytes = 0
  terminal.onBytes((piece) => (bytes += piece.length))
  return new Promise((resolve) => terminal.onExit(() => resolve(bytes)))
}

async function readPipe(): Promise<number> {
  let bytes = 0
  const child = spawn('seq', counting.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const piece of child.stdout as AsyncIterable<Buffer>) bytes += piece.length
  return bytes
}

/** As little of the protocol as makes the agent speak. */
async function readAgent(): Promise<number> {
  const [program = '', ...args] = demo
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const send = (id: number, method: string, params: object): void =>
    void child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
  send(1, 'initialize', { protocolVersion: 1, clientCapabilities: {} })
  let bytes = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const told = JSON.parse(line) as {
      id?: number
      result?: { sessionId?: string }
      params?: { update?: { sessionUpdate: string; content?: { text?: string } } }
    }
    const { update } = told.params ?? {}
    if (update?.sessionUpdate === 'agent_message_chunk') bytes += update.content?.text?.length ?? 0
    if (told.id === 1) send(2, 'session/new', { cwd: values.scratch, mcpServers: [] })
    if (told.id === 2) {
      send(3, 'session/prompt', { sessionId: told.result?.sessionId, prompt: [{ type: 'text', text: prompt }] })
    }
    if (told.id === 3) break
  }
  child.kill()
  return bytes
}

async function ask<R>(method: 'GET' | 'POST', path: string, body?: object): Promise<R> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${values.person}` }
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await fetch(new URL(path, `http://localhost:${values.port}`), { method, headers, ...sent })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 200)}`)
  return JSON.parse(text) as R
}

const command = (stream: string, type: string, data: object): Promise<unknown> =>
  ask('POST', '/api/commands', { id: randomUUID(), stream, type, data })

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Somebody else's work: a durable command each time, until it is enough. */
async function rename(isEnough: () => boolean): Promise<number[]> {
  const tookMs: number[] = []
  while (!isEnough()) {
    const startMs = performance.now()
    await command(values.stream, 'session.rename', { title: `Title ${tookMs.length}` })
    tookMs.push(performance.now() - startMs)
    await pause(everyMs)
  }
  return tookMs
}

/** Read by a runner, until all of it is in the log. */
async function readByHotline(): Promise<Read> {
  const quietUntilMs = performance.now() + Number(values['quiet-ms'])
  const quiet = await rename(() => performance.now() > quietUntilMs)
  say({ phase: 'window' })
  const session = randomUUID()
  const startMs = performance.now()
  const agent = { pty: 'command', pipe: 'pipe' }[values.kind] ?? 'demo'
  const what = agent === 'demo' ? { prompt } : { command: counting }
  await command(`session:${session}`, 'session.start', { project: 'default', agent, cwd: values.scratch, ...what })
  let isOver = false
  const renaming = rename(() => isOver)
  interface State {
    state: { status: string; turn?: object; counts: { turns: number } }
  }
  while (!isOver) {
    const { state } = await ask<State>('GET', `/api/sessions/${session}`)
    if (['failed', 'interrupted', 'aborted'].includes(state.status)) throw new Error(`the session is ${state.status}`)
    isOver = state.status === 'completed' || (agent === 'demo' && state.counts.turns > 0 && state.turn === undefined)
    if (!isOver) await pause(lookEveryMs)
  }
  const ms = performance.now() - startMs
  say({ phase: 'stop' })
  const beside = await renaming
  return { ms, bytes: await countLogged(session), latenciesMs: { quiet, beside } }
}

/** What the log has of it, read page by page; throws where an event is not in its place. */
async function countLogged(session: string): Promise<number> {
  interface Page {
    events: { seq: number; type: string; data: { source?: string }; body?: { text?: string } }[]
    next: string
  }
  let [after, bytes, seq] = ['0', 0, 0]
  for (;;) {
    const page: Page = await ask('GET', `/api/sessions/${session}/events?after=${after}`)
    if (page.events.length === 0) return bytes
    for (const { seq: at, type, data, body } of page.events) {
      if (at !== (seq += 1)) throw new Error(`event ${at} after ${seq - 1}`)
      const counts = (type === 'output.appended' && data.source !== 'log') || type === 'message.delta'
      if (counts) bytes += Buffer.byteLength(body?.text ?? '')
    }
    after = page.next
  }
}

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

async function readBareTimed(): Promise<Read> {
  say({ phase: 'window' })
  const startMs = performance.now()
  const bytes = await readBare()
  say({ phase: 'stop' })
  return { ms: performance.now() - startMs, bytes }
}

/** What it prints in all. */
function expected(): number {
  if (values.kind === 'acp') return count * pieceChars
  let bytes = 0
  for (let digits = 1, from = 1; from <= count; digits += 1, from *= 10) {
    bytes += (Math.min(count, from * 10 - 1) - from + 1) * (digits + (values.kind === 'pty' ? 2 : 1))
  }
  return bytes
}

const { ms, bytes, latenciesMs } = await (values.port === '' ? readBareTimed() : readByHotline())
const p99 = (of: readonly number[] = []): number => quantile(Float64Array.from(of).toSorted(), 0.99) || 0
const [quietP99Ms, besideP99Ms] = [p99(latenciesMs?.quiet), p99(latenciesMs?.beside)]
say({
  phase: 'result',
  megabytesPerSecond: bytes / 1_000 / ms,
  quietP99Ms,
  besideP99Ms,
  cpuShare: 0,
  failure: bytes === expected() ? '' : `${bytes} bytes of ${expected()}`,
})
