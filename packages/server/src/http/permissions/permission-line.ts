import type { Envelope } from '@hotline/protocol/event'
import { LineHello } from '@hotline/protocol/agent-line'
import { issuesOf } from '@hotline/protocol/command'
import { closeOf, type Problem, problem } from '@hotline/protocol/error'
import { limits } from '@hotline/protocol/limits'
import {
  PermissionInput,
  PermissionInputBatch,
  type PermissionMessage,
  type PermissionResponse,
  unacknowledgedPermissions,
} from '@hotline/protocol/permissions'
import { splitStream } from '@hotline/protocol/stream'
import type { SharedFrame } from '../../feed/shared-frame.ts'
import { type Gate, sentence } from '../../gate/gate.ts'
import { Allowance } from '../../machine/allowance.ts'
import { type Clock, timestamp } from '../../machine/clock.ts'
import { parseJson } from '../json.ts'
import type { Speech } from '../speech.ts'
import { type FrameForm, textMessage } from '../ws-frame.ts'
import { decisionOf } from './decision-of.ts'
import { type SaidMessage, SaidTogether } from './said-together.ts'
import type { PermissionDesk } from './permission-desk.ts'
import { PermissionNews } from './permission-news.ts'
import { readPositions } from './position.ts'
import type { Unsent } from './request-message.ts'

/** Messages of one client at once, and in each second after that; what is over is refused and can be sent again. */
const messagesBurst = 200
const messagesPerSecond = 50
/** Refusals of that kind, counted alike; whoever sends on after so many loses the connection. */
const refusalsBurst = 1_000
const refusalsPerSecond = 50

/** What a connection of `permissions.v1` needs. */
export interface PermissionLinePorts {
  /** Where an earlier connection stood, as it was told. */
  after: string | undefined
  /** `batch`: it takes several messages in one frame, and may send them so. */
  form: { compression: FrameForm['compression']; batch: boolean }
  desk: PermissionDesk
  write: (bytes: Uint8Array) => void
  /** Waits until the socket can take more. */
  room: () => Promise<void>
  clock: Clock
  newId: () => string
  fault: (error: unknown) => void
}

/** A response that the gate has and that is not answered yet. */
interface Asked {
  requestId: string
  responseId: string | undefined
  decision: 'allow' | 'deny'
}

/** A message that is no JSON as it is read here, and why. */
class Unreadable {
  readonly detail: string
  constructor(detail: string) {
    this.detail = detail
  }
}

type Said = { [T in PermissionMessage['type']]: { type: T } & Unsent<T> }[PermissionMessage['type']]

/**
 * `permissions.v1` as a way of speaking with the gate: it follows the projects of its sender, a response is the command
 * `approval.decide`, and rights, limits and the end of the server are the gate's.
 */
export function openPermissionLine(ports: PermissionLinePorts): Speech {
  return new PermissionLine(ports)
}

class PermissionLine implements Speech {
  readonly messages = 'text'
  readonly acknowledges = false
  readonly early = 'kept'
  readonly #ports: PermissionLinePorts
  readonly #news: PermissionNews
  /** Absent where each message is a frame of its own. */
  readonly #together: SaidTogether | undefined
  readonly #messages: Allowance
  readonly #refusals: Allowance
  /** By the id of their command: a client may send one again before it was answered. */
  readonly #asked = new Map<string, Asked[]>()
  #gate: Gate | undefined
  /** The responses before it are given to the gate first. */
  #answering: Promise<void> = Promise.resolve()
  #seq = 0
  /** Absent until the client acknowledges something. */
  #acknowledged: number | undefined
  #goOn: () => void = () => undefined
  #left = false

  constructor(ports: PermissionLinePorts) {
    this.#ports = ports
    const { form, write, clock } = ports
    this.#together = form.batch
      ? new SaidTogether((message) => write(textMessage(message, form.compression)), clock)
      : undefined
    this.#messages = new Allowance(messagesBurst, messagesPerSecond, ports.clock)
    this.#refusals = new Allowance(refusalsBurst, refusalsPerSecond, ports.clock)
    this.#news = new PermissionNews({
      desk: ports.desk,
      say: (news) => this.#say(news),
      room: () => this.#room(),
      failed: (error) => {
        ports.fault(error)
        this.#end(problem('storage_unavailable', 'The log cannot be read now. Come back with the cursor.'))
      },
    })
  }

  read(bytes: Buffer): ReturnType<typeof parseJson> {
    const parsed = parseJson(bytes.toString('utf8'))
    return 'value' in parsed ? parsed : { value: new Unreadable(parsed.detail) }
  }

  greeting(input: unknown): ReturnType<Speech['greeting']> {
    const hello = LineHello.safeParse(input)
    if (!hello.success) return undefined
    const { token, ticket } = hello.data
    return { ...(token === undefined ? {} : { token }), ...(ticket === undefined ? {} : { ticket }) }
  }

  async entered(gate: Gate): Promise<Problem | undefined> {
    const { desk, after } = this.#ports
    const { principal } = gate
    if (principal.kind === 'runner' || !principal.scopes.includes('read')) {
      return problem('forbidden', 'This credential may not read what is asked: use one with the scope "read".')
    }
    const before = after === undefined ? undefined : readPositions(after)
    if (after !== undefined && !before) {
      return problem('invalid_request', '"after" is the cursor of a permission-queue-status, word for word.')
    }
    const heads = await desk.heads((await desk.projectsOf(principal)).slice(0, limits.followsPerSocket))
    this.#gate = gate
    const positions = new Map([...heads].map(([project, head]) => [project, before?.get(project) ?? head]))
    this.#news.begin(positions)
    for (const [project, cursor] of positions)
      gate.receive({ t: 'follow', stream: `project:${project}`, after: cursor })
    return undefined
  }

  receive(input: unknown, gate: Gate): void {
    const batch = this.#ports.form.batch ? PermissionInputBatch.safeParse(input) : undefined
    if (batch?.success !== true) return this.#receiveOne(input, gate)
    for (const one of batch.data.messages) this.#receiveOne(one, gate)
  }

  #receiveOne(input: unknown, gate: Gate): void {
    const names = { requestId: textIn(input, 'requestId'), responseId: textIn(input, 'responseId') }
    const allowed = this.#messages.take()
    if (!allowed.ok) {
      const { retryAfterMs } = allowed
      const refusal = problem('rate_limited', 'Too many messages in a second. Send it again a little later.', {
        retryAfterMs,
      })
      this.#refuse(refusal, names)
      if (!this.#refusals.take().ok) this.#close(gate, refusal)
      return
    }
    if (input instanceof Unreadable) return this.#refuse(problem('invalid_frame', input.detail), names)
    const parsed = PermissionInput.safeParse(input)
    if (!parsed.success) {
      const issues = issuesOf(parsed.error, '')
      const detail = `This message is not understood: ${sentence(issues)}`
      return this.#refuse(problem('invalid_frame', detail, { issues }), names)
    }
    switch (parsed.data.type) {
      case 'ping':
        return this.#say({ type: 'pong' })
      case 'permission-ack':
        return this.#acknowledge(parsed.data.seq)
      case 'permission-response': {
        const response = parsed.data
        this.#answering = this.#answering.then(() => this.#respond(response, gate))
      }
    }
  }

  write(frame: SharedFrame): Uint8Array | undefined {
    switch (frame.kind) {
      case 'events': {
        const { stream = '', events = [] } = contentOf(frame)
        if (frame.cursor !== undefined) this.#news.take(splitStream(stream).id, frame.cursor, events)
        return undefined
      }
      case 'accepted':
      case 'refused':
        this.#answered(contentOf(frame))
        return undefined
      case 'reset': {
        const { stream = '', epoch = '', head = 0 } = contentOf(frame)
        this.#news.begin(new Map([[splitStream(stream).id, `${epoch}.${head}`]]))
        this.#gate?.receive({ t: 'follow', stream, after: `${epoch}.${head}` })
        const detail = 'The log is another one since that cursor: all that is open is told, and not what ended before.'
        return this.#bytes({ type: 'error', error: problem('cursor_gone', detail) })
      }
      case 'unfollowed':
        this.#news.lose(splitStream(contentOf(frame).stream ?? '').id)
        return undefined
      case 'problem': {
        const { problem: refusal } = contentOf(frame)
        return refusal && this.#bytes({ type: 'error', error: refusal })
      }
      case 'goodbye': {
        const { retryAfterMs } = contentOf(frame)
        const refusal = problem('draining', 'The server is going down. Come back in a moment.', { retryAfterMs })
        return this.#bytes({ type: 'error', error: refusal })
      }
      case 'heads':
        // Nobody tells of a project that has become theirs.
        this.#findProjects().catch(this.#ports.fault)
        return undefined
      case 'urgent':
      case 'welcome':
      case 'caught_up':
      case 'ephemeral':
      case 'pong':
        return undefined
    }
  }

  left(): void {
    this.#left = true
    this.#together?.drop()
    this.#news.close()
    this.#goOn()
    this.#asked.clear()
  }

  async #findProjects(): Promise<void> {
    const gate = this.#gate
    if (!gate) return
    const { desk } = this.#ports
    const known = new Set(this.#news.projects)
    const mine = (await desk.projectsOf(gate.principal)).slice(0, limits.followsPerSocket)
    const fresh = mine.filter((project) => !known.has(project))
    if (fresh.length === 0 || this.#left) return
    const heads = await desk.heads(fresh)
    this.#news.begin(heads)
    for (const [project, cursor] of heads) gate.receive({ t: 'follow', stream: `project:${project}`, after: cursor })
  }

  /** Never rejects: the next one waits for it. */
  async #respond(response: PermissionResponse, gate: Gate): Promise<void> {
    const { requestId, responseId } = response
    try {
      const shown = this.#news.shown(requestId)
      const decision = await decisionOf(response, shown, this.#ports.desk, this.#news.projects)
      if (this.#left) return
      if ('code' in decision) return this.#refuse(decision, { requestId, responseId })
      const { session, data } = decision
      const id = responseId ?? this.#ports.newId()
      const asked: Asked = { requestId, responseId, decision: data.verdict === 'deny' ? 'deny' : 'allow' }
      this.#asked.set(id, [...(this.#asked.get(id) ?? []), asked])
      gate.receive({ t: 'command', id, stream: `session:${session}`, type: 'approval.decide', data })
    } catch (error) {
      this.#ports.fault(error)
      const refusal = problem('storage_unavailable', 'The log cannot be read now. Send it again.')
      this.#refuse(refusal, { requestId, responseId })
    }
  }

  #answered({ id = '', cursor = '', problem: refusal }: Content): void {
    const [asked, ...more] = this.#asked.get(id) ?? []
    if (!asked) return
    if (more.length > 0) this.#asked.set(id, more)
    else this.#asked.delete(id)
    const { requestId, responseId, decision } = asked
    if (refusal) return this.#refuse(refusal, { requestId, responseId })
    this.#say({ type: 'permission-ack', requestId, responseId: responseId ?? null, decision, id, cursor })
  }

  #acknowledge(seq: number): void {
    if (seq > this.#seq) {
      return this.#refuse(problem('invalid_request', `The last message had the "seq" ${this.#seq}.`), {})
    }
    this.#acknowledged = Math.max(seq, this.#acknowledged ?? 0)
    this.#goOn()
  }

  async #room(): Promise<void> {
    while (!this.#left && this.#seq - (this.#acknowledged ?? this.#seq) >= unacknowledgedPermissions) {
      await new Promise<void>((resolve) => {
        this.#goOn = resolve
      })
    }
    if (!this.#left) await this.#ports.room()
  }

  #end(refusal: Problem): void {
    this.#refuse(refusal, {})
    if (this.#gate) this.#close(this.#gate, refusal)
  }

  #close(gate: Gate, refusal: Problem): void {
    this.#together?.flush()
    gate.close(closeOf(refusal.code), refusal.code)
  }

  #refuse(
    refusal: Problem,
    { requestId, responseId }: { requestId?: string | undefined; responseId?: string | undefined },
  ): void {
    this.#say({
      type: 'error',
      ...(requestId === undefined ? {} : { requestId }),
      ...(responseId === undefined ? {} : { responseId }),
      error: refusal,
    })
  }

  #say(said: Said): void {
    const message = this.#message(said)
    if (this.#together) this.#together.add(message)
    else this.#ports.write(textMessage(message, this.#ports.form.compression))
  }

  /** For what is written by somebody else: after all that was said before it. */
  #bytes(said: Said): Uint8Array {
    this.#together?.flush()
    return textMessage(this.#message(said))
  }

  #message({ type, ...members }: Said): SaidMessage {
    this.#seq += 1
    return { type, seq: this.#seq, timestamp: timestamp(this.#ports.clock), ...members }
  }
}

interface Content {
  id?: string
  cursor?: string
  stream?: string
  events?: readonly Envelope[]
  epoch?: string
  head?: number
  retryAfterMs?: number
  problem?: Problem
}

function contentOf(frame: SharedFrame): Content {
  return JSON.parse(Buffer.from(frame.json).toString('utf8')) as Content
}

/** A short text that is a member of what was sent, whatever else is wrong with it. */
function textIn(input: unknown, member: string): string | undefined {
  if (typeof input !== 'object' || input === null) return undefined
  const value = (input as Record<string, unknown>)[member]
  return typeof value === 'string' && value.length <= 200 ? value : undefined
}
