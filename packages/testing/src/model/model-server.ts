import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { waitFor, type WaitOptions } from '../wait-for.ts'
import { anthropic } from './anthropic.ts'
import { chat } from './chat.ts'
import { type Answer, lastWords, type ModelCall, stepOf } from './conversation.ts'
import type { Dialect } from './dialect.ts'
import { gemini } from './gemini.ts'
import { responses } from './responses.ts'
import type { Step } from './script.ts'
import { resolveIntent, sample } from './tools.ts'

const dialects: readonly Dialect[] = [anthropic, chat, responses, gemini]

/** Calls that are remembered; the oldest go first. */
const rememberedMax = 1_000

/** A call that an agent made; never its headers, which hold a key. */
export interface RecordedCall {
  dialect: Dialect['name']
  /** `turn`: it offers tools. Titles and the like offer none; they get a fixed answer and use up no step. */
  kind: 'turn' | 'side'
  model: string
  tools: readonly string[]
  /** What the person said last, the script included. */
  words: string
  /** Which step answered; undefined where there was no script. */
  step: number | undefined
  /** As it was sent, for whatever else a test wants to see, such as the words of a refused tool call. */
  body: unknown
  /** `aborted`: the agent hung up before the end. `unanswerable`: the script asks for what no tool can do. */
  outcome: 'open' | 'answered' | 'refused' | 'cut' | 'aborted' | 'unanswerable'
}

/** A model that does what the prompt says, on loopback. Agents point at it with any key. */
export interface ModelServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>`: for ANTHROPIC_BASE_URL and GOOGLE_GEMINI_BASE_URL. */
  readonly url: string
  /** The same with `/v1`: for OpenAI's base URLs. */
  readonly openaiUrl: string
  /** Oldest first, at most the last 1,000. */
  readonly calls: readonly RecordedCall[]
  /** What was asked for and is served nowhere. */
  readonly missed: readonly string[]
  /** Waits for a call; how it came out may be part of the condition. */
  called(is: (call: RecordedCall) => boolean, options?: Partial<WaitOptions>): Promise<RecordedCall>
}

/**
 * Starts a scripted model: Anthropic Messages, OpenAI Chat Completions and Responses, Gemini; streaming or whole. The
 * script rides in the prompt, so one server serves any number of agents and sessions at once:
 *
 *     const model = await startModelServer()
 *     // ANTHROPIC_BASE_URL=<model.url> ANTHROPIC_API_KEY=test …
 *     await agent.prompt(scripted('write it', { text: 'I write', calls: [{ write: { path: '/w/a', text: 'x' } }] }, { text: 'Done' }))
 *     await model.called(({ step, outcome }) => step === 1 && outcome === 'answered')
 *
 * Each step answers one call; past the last one the model says "ok", and without a script it repeats the person's words.
 * What a step can be: `Step` and `Intent` in `script.ts`. A prompt without a script goes on with the script before it:
 * that is how a test sees that an agent went on after a refusal. Two prompts with the same words share their `times`.
 */
export async function startModelServer(): Promise<ModelServer> {
  const calls: RecordedCall[] = []
  const missed: string[] = []
  const tries = new Map<string, number>()
  const closing = new AbortController()

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = request.url ?? '/'
    const [path = '/'] = url.split('?')
    const body = await readBody(request)
    const dialect = request.method === 'POST' ? dialects.find((one) => one.path.test(path)) : undefined
    if (dialect) return answer(dialect, body, url, response)
    const fixed = fixedAnswer(request.method ?? '', path)
    if (fixed === undefined) missed.push(`${request.method} ${path}`)
    sendJson(response, fixed === undefined ? 404 : 200, fixed ?? { error: { message: `nothing is served at ${path}` } })
  }

  async function answer(
    dialect: Dialect,
    body: Record<string, unknown>,
    url: string,
    response: ServerResponse,
  ): Promise<void> {
    const call = dialect.read(body, url)
    const kind = call.tools.length > 0 ? 'turn' : 'side'
    const planned = kind === 'turn' ? stepOf(call.items) : undefined
    const words = lastWords(call.items)
    const recorded: RecordedCall = {
      dialect: dialect.name,
      kind,
      model: call.model,
      tools: call.tools.map(({ name }) => name),
      words,
      step: planned?.index,
      body,
      outcome: 'open',
    }
    calls.push(recorded)
    if (calls.length > rememberedMax) calls.shift()
    response.on('close', () => {
      if (recorded.outcome === 'open') recorded.outcome = 'aborted'
    })

    const step: Step = planned?.step ?? { text: kind === 'side' ? sideText(call) : `You said: ${words}` }
    const { status, cut, hang, delayMs } = step
    if (delayMs !== undefined) {
      const gone = new AbortController()
      response.on('close', () => gone.abort())
      const waited = pause(delayMs, true, { signal: AbortSignal.any([closing.signal, gone.signal]) })
      if (!(await waited.catch(() => false))) return
    }
    const isFaulty = (status ?? cut) !== undefined && planned !== undefined && tryOf(planned.key) <= (step.times ?? 1)
    if (isFaulty && status !== undefined) {
      recorded.outcome = 'refused'
      return sendJson(response, status, dialect.refusal(status))
    }
    if (isFaulty && cut === 'start') {
      recorded.outcome = 'cut'
      response.destroy()
      return
    }
    if (hang === 'start') return

    let told: Answer
    try {
      told = answerFor(step, call)
    } catch (error) {
      recorded.outcome = 'unanswerable'
      return sendJson(response, 400, { error: { type: 'invalid_request_error', message: String(error) } })
    }
    if (!call.stream) {
      if (hang !== undefined) return
      recorded.outcome = 'answered'
      return sendJson(response, 200, dialect.whole(told, call))
    }
    const frames = dialect.stream(told, call)
    const isWhole = !(isFaulty && cut === 'middle') && hang === undefined
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
    for (const frame of isWhole ? frames : frames.slice(0, Math.ceil(frames.length / 2))) response.write(frame)
    if (isWhole) {
      recorded.outcome = 'answered'
      response.end()
    } else if (hang === undefined) {
      recorded.outcome = 'cut'
      // What was written goes out first, so that the agent has seen the beginning.
      response.write('', () => response.destroy())
    }
  }

  function tryOf(key: string): number {
    const count = (tries.get(key) ?? 0) + 1
    tries.set(key, count)
    return count
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      missed.push(`${request.method} ${request.url}: ${String(error)}`)
      response.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    openaiUrl: `${url}/v1`,
    calls,
    missed,
    called: (is, options = {}) => waitFor(() => calls.find(is), { what: 'a call of the model', ...options }),
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function answerFor(step: Step, { tools }: ModelCall): Answer {
  const text = step.text ?? (step.calls === undefined ? 'ok' : '')
  const size = Math.max(1, Math.ceil(text.length / (step.pieces ?? (step.hang === 'middle' ? 4 : 1))))
  const pieces: string[] = []
  for (let at = 0; at < text.length; at += size) pieces.push(text.slice(at, at + size))
  const calls = (step.calls ?? []).map((intent) => resolveIntent(intent, tools))
  return { id: randomBytes(6).toString('hex'), think: step.think, pieces, calls }
}

/** Something short, as a title; where JSON is wanted, something of that shape. */
function sideText({ shape }: ModelCall): string {
  return shape === undefined ? 'A scripted session' : JSON.stringify(sample({ type: 'object', ...shape }))
}

function fixedAnswer(method: string, path: string): unknown {
  if (method === 'HEAD' || path === '/') return {}
  if (method === 'POST' && path.endsWith('/messages/count_tokens')) return { input_tokens: 100 }
  if (method === 'POST' && path.endsWith(':countTokens')) return { totalTokens: 100 }
  if (method === 'GET' && path.endsWith('/models')) {
    return { object: 'list', data: [{ id: 'scripted', object: 'model', type: 'model', display_name: 'Scripted' }] }
  }
  return undefined
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const text = await readText(request)
  try {
    const body: unknown = JSON.parse(text)
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}
