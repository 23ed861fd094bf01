import { randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { AgentEvent, AgentSession, AnswerResult, QuestionAnswer, Verdict } from '../adapters/adapter.ts'
import { parseObject } from '../adapters/wire/json.ts'
import { LineSplitter } from '../adapters/wire/line-splitter.ts'
import {
  type DeskAnswer,
  type DeskDecision,
  deskLineBytes,
  type DeskMethod,
  deskMethods,
  type DeskSent,
  type DeskReview,
  DeskPlace,
  DeskRequest,
} from './desk-protocol.ts'

/** Programs that may be at one desk at once. */
const guestsMax = 8
/** Requests of one of them that may be open. */
const requestsMax = 200
/** Bytes of a path that a socket may have, with room for every system. */
const pathBytesMax = 100
/** Depth of what comes in. */
const depthMax = 64

/** An agent's programs put its changes up for review, or do not wait for that any more. */
export type ReviewEvent =
  | { t: 'submitted'; draft: string; note?: string | undefined }
  | { t: 'unsubmitted'; draft: string }

/** An agent's programs show people a file. */
export interface FileEvent {
  t: 'file'
  file: string
  path: string
  text: string
}

/** What the agent's programs do, in the words in which agents do it. */
export type DeskEvent =
  | Extract<AgentEvent, { t: 'ask' | 'ask_closed' | 'question' | 'question_closed' | 'said' | 'goal' }>
  | ReviewEvent
  | FileEvent

/** The way to people for whatever the agent of one session starts: a socket for this user, behind a secret in a file. */
export interface Desk extends AsyncDisposable {
  /** The file that says where it is, and the secret in it. */
  readonly file: string
  readonly socket: string
  readonly token: string
  /** Whether somebody is there now, who could say that the goal is reached. */
  readonly isAttended: boolean
  /** Resolves when the last one has left, or nobody has come for so long. */
  left(patienceMs: number): Promise<void>
  /** From now on what is asked there is heard. */
  attend(heard: (event: DeskEvent) => void): void
  /** What came of a review; nothing where nobody waits for it. */
  reviewed(draft: string, review: DeskReview): void
  /** What became of a file; nothing where nobody waits for that. */
  sent(file: string, sent: DeskSent): void
  /** The agent, with the answers to what was asked at the desk going there. */
  answering(agent: AgentSession): Pick<AgentSession, 'answer' | 'dismiss' | 'answerQuestion' | 'capabilities'>
}

type DeskResult = DeskDecision | DeskAnswer | DeskReview | DeskSent

interface Open {
  kind: 'ask' | 'question' | 'review' | 'file'
  settle: (result: DeskResult) => void
}

/**
 * Opens the desk of a session. Rejects where this machine has no such sockets. `file`: of the one that an earlier life
 * of this process had; whoever knows that finds this one.
 */
export async function openDesk(options: { folder: string; session: string; file?: string | undefined }): Promise<Desk> {
  const { folder, session, file: before } = options
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  const earlier = before === undefined ? undefined : readPlace(before)
  const name = earlier && before !== undefined ? basename(before, '.json') : randomBytes(8).toString('hex')
  if (earlier) rmSync(earlier.socket, { force: true })
  const near = join(folder, `${name}.sock`)
  const elsewhere = Buffer.byteLength(near) > pathBytesMax ? mkdtempSync(join(tmpdir(), 'hotline-')) : undefined
  const place: DeskPlace = {
    session,
    socket: elsewhere === undefined ? near : join(elsewhere, 'desk.sock'),
    token: earlier?.token ?? randomBytes(32).toString('base64url'),
  }
  const file = join(folder, `${name}.json`)
  const desk = new SocketDesk(place, file)
  const clear = (): void => {
    rmSync(file, { force: true })
    rmSync(elsewhere ?? place.socket, { recursive: true, force: true })
  }
  try {
    await desk.listen()
    chmodSync(place.socket, 0o600)
    writeFileSync(file, `${JSON.stringify(place)}\n`, { mode: 0o600, flag: earlier ? 'w' : 'wx' })
  } catch (error) {
    await desk.close()
    clear()
    throw error
  }
  desk.onClosed = clear
  return desk
}

/** Undefined where the file is not there, or says something else. */
function readPlace(file: string): DeskPlace | undefined {
  try {
    return DeskPlace.safeParse(JSON.parse(readFileSync(file, 'utf8'))).data
  } catch {
    return undefined
  }
}

class SocketDesk implements Desk {
  readonly file: string
  readonly socket: string
  readonly token: string
  onClosed: () => void = () => undefined
  readonly #place: DeskPlace
  readonly #server = createServer((socket) => this.#welcome(socket))
  readonly #guests = new Set<Socket>()
  readonly #open = new Map<string, Open>()
  #heard: ((event: DeskEvent) => void) | undefined
  #early: DeskEvent[] = []
  readonly #left = Promise.withResolvers<void>()

  constructor(place: DeskPlace, file: string) {
    this.#place = place
    this.file = file
    this.socket = place.socket
    this.token = place.token
  }

  get isAttended(): boolean {
    return this.#guests.size > 0
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#place.socket, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
  }

  async left(patienceMs: number): Promise<void> {
    const timer = setTimeout(() => {
      if (!this.isAttended) this.#left.resolve()
    }, patienceMs)
    await this.#left.promise
    clearTimeout(timer)
  }

  attend(heard: (event: DeskEvent) => void): void {
    this.#heard = heard
    for (const event of this.#early.splice(0)) heard(event)
  }

  answering(agent: AgentSession): ReturnType<Desk['answering']> {
    return {
      get capabilities() {
        return agent.capabilities
      },
      answer: (ask, verdict) =>
        this.#open.has(ask) ? Promise.resolve(this.#answer(ask, verdict)) : agent.answer(ask, verdict),
      dismiss: (ask) => {
        if (!this.#open.has(ask)) return agent.dismiss(ask)
        this.#settle(ask, { outcome: 'cancelled' })
        return Promise.resolve()
      },
      answerQuestion: (question, answer) =>
        this.#open.has(question)
          ? Promise.resolve(this.#answerQuestion(question, answer))
          : agent.answerQuestion(question, answer),
    }
  }

  /** Whoever waits is told that no answer comes. */
  async close(): Promise<void> {
    for (const [id, { kind }] of this.#open) {
      switch (kind) {
        case 'ask':
          this.#settle(id, { outcome: 'cancelled' })
          break
        case 'question':
          this.#settle(id, { action: 'cancel' })
          break
        case 'review':
          this.#settle(id, { outcome: 'closed', files: [] })
          break
        case 'file':
          this.#settle(id, { outcome: 'refused', why: 'The session is over.' })
          break
      }
    }
    this.#left.resolve()
    for (const socket of this.#guests) socket.end()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      for (const socket of this.#guests) socket.destroySoon()
    })
    this.onClosed()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #emit(event: DeskEvent): void {
    if (this.#heard) this.#heard(event)
    else this.#early.push(event)
  }

  #answer(ask: string, verdict: Verdict): AnswerResult {
    const reason = 'reason' in verdict && verdict.reason !== undefined ? { reason: verdict.reason } : {}
    switch (verdict.verdict) {
      case 'allow':
        this.#settle(ask, { outcome: 'allowed', ...reason })
        break
      case 'modify':
        this.#settle(ask, { outcome: 'allowed_modified', input: verdict.input, ...reason })
        break
      case 'deny':
        this.#settle(ask, deniedAs(verdict))
        break
    }
    return 'reason_heard'
  }

  #answerQuestion(question: string, answer: QuestionAnswer): 'applied' {
    this.#settle(question, answer)
    return 'applied'
  }

  reviewed(draft: string, review: DeskReview): void {
    if (this.#open.get(draft)?.kind === 'review') this.#settle(draft, review)
  }

  sent(file: string, sent: DeskSent): void {
    if (this.#open.get(file)?.kind === 'file') this.#settle(file, sent)
  }

  #settle(id: string, result: DeskResult): void {
    const open = this.#open.get(id)
    this.#open.delete(id)
    open?.settle(result)
  }

  /** One program: it proves that it may be here with its first line, and asks with the others. */
  #welcome(socket: Socket): void {
    if (this.#guests.size >= guestsMax) return void socket.destroy()
    const splitter = new LineSplitter(deskLineBytes)
    const mine = new Map<number, string>()
    let isKnown = false
    const reply = (id: number, answer: { result: unknown } | { error: string }): void => {
      mine.delete(id)
      if (socket.writable) socket.write(`${JSON.stringify({ id, ...answer })}\n`)
    }
    socket.on('error', () => undefined)
    socket.on('data', (bytes: Buffer) => {
      for (const line of splitter.feed(bytes)) {
        const message = 'text' in line ? parseObject(line.text, depthMax) : undefined
        if (!message) return void socket.destroy()
        if (isKnown) this.#request(message, mine, reply)
        else if (!isSame(message['token'], this.#place.token)) return void socket.destroy()
        else {
          isKnown = true
          this.#guests.add(socket)
        }
      }
    })
    socket.on('close', () => {
      const wasHere = this.#guests.delete(socket)
      for (const id of mine.values()) this.#withdraw(id)
      if (wasHere && this.#guests.size === 0) this.#left.resolve()
    })
  }

  #request(
    message: unknown,
    mine: Map<number, string>,
    reply: (id: number, answer: { result: unknown } | { error: string }) => void,
  ): void {
    const request = DeskRequest.safeParse(message)
    if (!request.success) return
    if ('cancel' in request.data) {
      const open = mine.get(request.data.cancel)
      mine.delete(request.data.cancel)
      if (open !== undefined) this.#withdraw(open)
      return
    }
    const { id, method, params } = request.data
    if (!(method in deskMethods)) return reply(id, { error: `Nobody here knows "${method}".` })
    const read = deskMethods[method as DeskMethod].safeParse(params)
    if (!read.success) return reply(id, { error: `"${method}" cannot be read: ${read.error.issues[0]?.message ?? ''}` })
    if (mine.size >= requestsMax || mine.has(id)) return reply(id, { error: 'Too much is open here already.' })
    const asked = randomUUID()
    const wait = (kind: Open['kind']): void => {
      mine.set(id, asked)
      this.#open.set(asked, { kind, settle: (result) => reply(id, { result }) })
    }
    switch (method as DeskMethod) {
      case 'ask_human': {
        const { text, schema } = deskMethods.ask_human.parse(params)
        wait('question')
        return this.#emit({ t: 'question', question: asked, text, schema })
      }
      case 'request_approval': {
        const { takes, ...of } = deskMethods.request_approval.parse(params)
        wait('ask')
        const verdicts = takes === 'changed' ? (['allow', 'deny', 'modify'] as const) : (['allow', 'deny'] as const)
        return this.#emit({ t: 'ask', ask: { ask: asked, step: undefined, ...of, verdicts, scopes: ['once'] } })
      }
      case 'submit_draft':
        wait('review')
        return this.#emit({ t: 'submitted', draft: asked, note: deskMethods.submit_draft.parse(params).note })
      case 'send_file': {
        const { path, text = '' } = deskMethods.send_file.parse(params)
        wait('file')
        return this.#emit({ t: 'file', file: asked, path, text })
      }
      case 'notify':
        this.#emit({ t: 'said', message: asked, text: deskMethods.notify.parse(params).text })
        return reply(id, { result: {} })
      case 'complete_goal':
        this.#emit({ t: 'goal', summary: deskMethods.complete_goal.parse(params).summary })
        return reply(id, { result: {} })
    }
  }

  /** Nobody waits for it any more. */
  #withdraw(id: string): void {
    const open = this.#open.get(id)
    if (!open) return
    this.#open.delete(id)
    if (open.kind === 'ask') this.#emit({ t: 'ask_closed', ask: id, reason: 'agent_withdrew' })
    else if (open.kind === 'file') return
    else if (open.kind === 'review') this.#emit({ t: 'unsubmitted', draft: id })
    else this.#emit({ t: 'question_closed', question: id, reason: 'agent_withdrew' })
  }
}

function isSame(given: unknown, token: string): boolean {
  if (typeof given !== 'string') return false
  const [a, b] = [Buffer.from(given), Buffer.from(token)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Who hears the outcome by its name needs no sentence for it. */
function deniedAs({ reason, because }: Extract<Verdict, { verdict: 'deny' }>): DeskDecision {
  if (because === 'timed_out' || because === 'queue_full') return { outcome: because }
  return { outcome: 'denied', ...(reason === undefined ? {} : { reason }) }
}
