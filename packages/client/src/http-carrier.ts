import type { Problem } from '@hotline/protocol/error'
import type { ServerFrame } from '@hotline/protocol/server-frame'
import { createParser } from 'eventsource-parser'
import { type Carrier, type CarrierEars, type CarrierOptions, hearFrame, type SentFrame } from './carrier.ts'
import { farewellOf } from './farewell.ts'
import { openRequest, somethingElse } from './http-request.ts'
import { unreachable } from './problem-of.ts'
import { readJson } from './read-json.ts'

/** Follows that are asked for together go in one request. */
const gatherMs = 10
/** How long one poll waits for news, in seconds: less than the silence after which a connection is asked whether it lives. */
const waitSeconds = 15
/** A request that ends sooner than this and brings nothing is followed by a pause. */
const shortestMs = 500
/** A stream that goes on in another request is greeted by then, as a ping is answered; else something keeps the answer. */
const heldBackMs = 3_000

/**
 * Frames from the server over plain HTTP. Each request names everything that is followed with its cursor, so nothing is
 * lost between two of them. As a `stream`, an answer goes on until somebody cuts it; as a `poll`, it ends with the first
 * news. Commands go by requests of their own.
 */
export class HttpCarrier implements Carrier {
  readonly transport: 'stream' | 'poll'
  readonly commands = 'requests'
  readonly #options: CarrierOptions
  readonly #ears: CarrierEars
  /** What is followed, and the position after which to go on. */
  readonly #follows = new Map<string, { after: string; without?: 'output' | undefined }>()
  /** Follows that have not reached the head since they were asked for. */
  readonly #behind = new Set<string>()
  /** Asked for anew, or left, since the present request began: what it still brings of them is not wanted. */
  readonly #outdated = new Set<string>()
  #request = new AbortController()
  #cancelGather: (() => void) | undefined
  #cancelHeldBack: (() => void) | undefined
  #greeted = false
  #over = false

  constructor(transport: 'stream' | 'poll', options: CarrierOptions, ears: CarrierEars) {
    this.transport = transport
    this.#options = options
    this.#ears = ears
    void this.#run()
  }

  send(frame: SentFrame): boolean {
    if (this.#over) return false
    if (frame.t === 'ping') this.#request.abort()
    if (frame.t !== 'follow' && frame.t !== 'unfollow') return true
    this.#outdated.add(frame.stream)
    if (frame.t === 'follow') {
      this.#follows.set(frame.stream, { after: frame.after, without: frame.without })
      this.#behind.add(frame.stream)
    } else {
      this.#forget(frame.stream)
    }
    this.#cancelGather ??= this.#options.clock.after(gatherMs, () => {
      this.#cancelGather = undefined
      this.#request.abort()
    })
    return true
  }

  async close(): Promise<void> {
    this.#over = true
    this.#cancelGather?.()
    this.#cancelHeldBack?.()
    this.#request.abort()
  }

  /** One request after another. Each names all follows; one that is cut short by a change is followed by the next at once. */
  async #run(): Promise<void> {
    while (!this.#over) {
      this.#request = new AbortController()
      this.#outdated.clear()
      const { signal } = this.#request
      const beganMs = this.#options.clock.wallMs()
      this.#watchHeldBack()
      const outcome = await (this.transport === 'stream' ? this.#readStream(signal) : this.#readAnswer(signal))
      this.#cancelHeldBack?.()
      if (this.#over) return
      if (signal.aborted) continue
      if (outcome !== 'again') return this.#end(outcome)
      const tookMs = this.#options.clock.wallMs() - beganMs
      if (this.transport === 'stream' && tookMs < shortestMs) {
        return this.#end(unreachable('Something between here and the server cuts its answers.'))
      }
    }
  }

  /** Whether the first request is of any use, the race of the transports finds out; nobody else looks at the others. */
  #watchHeldBack(): void {
    if (this.transport === 'poll' || !this.#greeted) return
    this.#cancelHeldBack = this.#options.clock.after(heldBackMs, () =>
      this.#end(unreachable('Something between here and the server keeps its answers.')),
    )
  }

  async #readStream(signal: AbortSignal): Promise<'again' | Problem> {
    const opened = await this.#ask(signal)
    if (!opened.ok) return opened.problem
    if (!isOfType(opened.value, 'text/event-stream') || !opened.value.body) return somethingElse().problem
    let farewell: Problem | undefined
    const parser = createParser({
      onEvent: ({ data }) => {
        if (signal.aborted) return
        const frame = this.#hear(readJson(data), data.length)
        farewell = frame && farewellOf(frame)
      },
    })
    const decoder = new TextDecoder()
    const reader = opened.value.body.getReader()
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return farewell ?? 'again'
        parser.feed(decoder.decode(value, { stream: true }))
      }
    } catch {
      // Cut in the middle, by us or by the network: the next request shows which.
      return 'again'
    }
  }

  async #readAnswer(signal: AbortSignal): Promise<'again' | Problem> {
    const opened = await this.#ask(signal, this.#greeted && this.#behind.size === 0 ? waitSeconds : 0)
    if (!opened.ok) return opened.problem
    let answer: { frames?: unknown } | undefined
    try {
      answer = (await opened.value.json()) as typeof answer
    } catch {
      return somethingElse().problem
    }
    if (!Array.isArray(answer?.frames)) return somethingElse().problem
    for (const input of answer.frames as unknown[]) {
      if (signal.aborted) break
      const frame = this.#hear(input, 0)
      const farewell = frame && farewellOf(frame)
      if (farewell) return farewell
    }
    return 'again'
  }

  #ask(signal: AbortSignal, wait?: number): ReturnType<typeof openRequest> {
    const follows = [...this.#follows].map(([stream, follow]) => ({ stream, ...follow }))
    const { url, credential, instance } = this.#options
    const body = { follows, instance, wait }
    return openRequest(url, credential, { method: 'POST', path: '/api/follow', body, signal })
  }

  #hear(input: unknown, sizeChars: number): ServerFrame | undefined {
    this.#cancelHeldBack?.()
    const ears: CarrierEars = {
      ...this.#ears,
      ended: (why) => this.#end(why),
      frame: (frame) => {
        if (this.#isOutdated(frame)) return
        this.#note(frame)
        const isFirst = frame.t === 'welcome' && !this.#greeted
        if (frame.t === 'welcome') this.#greeted = true
        // Each request is greeted; for the link it is one connection.
        this.#ears.frame(frame.t === 'welcome' && !isFirst ? { t: 'pong' } : frame, sizeChars)
      },
    }
    return hearFrame(input, sizeChars, ears, this.#options.account)
  }

  #isOutdated(frame: ServerFrame): boolean {
    return 'stream' in frame && typeof frame.stream === 'string' && this.#outdated.has(frame.stream)
  }

  /** Keeps the place of each follow, which is where the next request goes on. */
  #note(frame: ServerFrame): void {
    switch (frame.t) {
      case 'events':
        this.#goOn(frame.stream, `${frame.epoch}.${frame.to}`)
        return
      case 'caught_up':
        this.#goOn(frame.stream, `${frame.epoch}.${frame.seq}`)
        this.#behind.delete(frame.stream)
        return
      case 'reset':
      case 'unfollowed':
        this.#forget(frame.stream)
        return
      case 'welcome':
      case 'accepted':
      case 'refused':
      case 'urgent':
      case 'ephemeral':
      case 'heads':
      case 'pong':
      case 'problem':
      case 'goodbye':
        return
    }
  }

  #goOn(stream: string, after: string): void {
    this.#follows.set(stream, { ...this.#follows.get(stream), after })
  }

  #forget(stream: string): void {
    this.#follows.delete(stream)
    this.#behind.delete(stream)
  }

  #end(why: Problem): void {
    void this.close()
    this.#ears.ended(why)
  }
}

function isOfType(response: Response, type: string): boolean {
  return response.headers.get('content-type')?.startsWith(type) === true
}
