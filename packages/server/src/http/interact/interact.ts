import type { Envelope } from '@hotline/protocol/event'
import { type Problem, problem } from '@hotline/protocol/error'
import { InteractInput, type InteractMessage } from '@hotline/protocol/interact'
import { issuesOf } from '@hotline/protocol/command'
import { asKnown } from '@hotline/protocol/known-event'
import { splitStream } from '@hotline/protocol/stream'
import type { SharedFrame } from '../../feed/shared-frame.ts'
import type { Gate } from '../../gate/gate.ts'
import { type Clock, timestamp } from '../../machine/clock.ts'
import { nothingHere } from '../../session/outcome.ts'
import { interactionOf } from '../../session/read-interactions.ts'
import { parseJson } from '../json.ts'
import type { Speech } from '../speech.ts'
import { textMessage } from '../ws-frame.ts'
import type { InteractDesk } from './interact-desk.ts'

/** What the conversation of one task needs. */
export interface InteractPorts {
  /** As the address names them. */
  project: string
  task: string
  desk: InteractDesk
  say: (message: object) => void
  clock: Clock
  newId: () => string
  fault: (error: unknown) => void
}

/** `/api/projects/:id/tasks/:taskId/interact`: what is said in all sessions of a task, and a way to say something. */
export function openInteract(ports: InteractPorts): Speech {
  return new Interact(ports)
}

class Interact implements Speech {
  readonly messages = 'text'
  readonly acknowledges = false
  readonly early = 'kept'
  readonly #ports: InteractPorts
  readonly #followed = new Set<string>()
  #gate: Gate | undefined
  /** What is told is read from the log in part, and stays in its order. */
  #telling: Promise<void> = Promise.resolve()
  /** Messages are sent one after the other, in the order in which they came. */
  #sending: Promise<void> = Promise.resolve()

  constructor(ports: InteractPorts) {
    this.#ports = ports
  }

  read(bytes: Buffer): ReturnType<typeof parseJson> {
    return parseJson(bytes.toString('utf8'))
  }

  greeting(input: unknown): ReturnType<Speech['greeting']> {
    const auth = InteractInput.safeParse(input)
    if (!auth.success || auth.data.type !== 'auth') return undefined
    const { token, ticket } = auth.data
    return { ...(token === undefined ? {} : { token }), ...(ticket === undefined ? {} : { ticket }) }
  }

  async entered(gate: Gate): Promise<Problem | undefined> {
    const { desk, project, task } = this.#ports
    const opened = await desk.open(gate.principal, { project, task })
    if (!opened) return nothingHere()
    const { messages, truncated, follows } = opened
    const history: InteractMessage = { type: 'history', messages: [...messages], truncated, timestamp: this.#now() }
    this.#ports.say(history)
    this.#gate = gate
    for (const { stream, after } of follows) this.#follow(stream, after)
    return undefined
  }

  receive(input: unknown, gate: Gate): void {
    const parsed = InteractInput.safeParse(input)
    if (!parsed.success) {
      const [issue] = issuesOf(parsed.error, '')
      const detail = `Send { "type": "user_message", "content": "…" }. ${issue?.message ?? ''}`.trim()
      return gate.strike(problem('invalid_frame', detail))
    }
    const message = parsed.data
    if (message.type === 'auth') return gate.strike(problem('invalid_frame', 'You are signed in already.'))
    const id = message.id ?? this.#ports.newId()
    this.#sending = this.#sending
      .then(() => this.#send(gate, id, message))
      .catch((error: unknown) => {
        this.#ports.fault(error)
        this.#refuse(problem('storage_unavailable', 'The log cannot be read now. Send it again, with the same id.'), id)
      })
  }

  async #send(gate: Gate, id: string, message: InteractInput & { type: 'user_message' }): Promise<void> {
    const { content: text, metadata } = message
    const session = await this.#ports.desk.addressee(gate.principal, this.#ports.task, { id, text })
    if (session === undefined) {
      return this.#refuse(
        problem('invalid_transition', 'No agent has begun with this task. Start a session of it.'),
        id,
      )
    }
    const data = { text, ...(metadata === undefined ? {} : { metadata }) }
    gate.receive({ t: 'command', id, stream: `session:${session}`, type: 'message.send', data })
  }

  write(frame: SharedFrame): Uint8Array | undefined {
    switch (frame.kind) {
      case 'events': {
        const { stream = '', events } = contentOf(frame)
        for (const event of events ?? []) this.#hear(stream, event)
        return undefined
      }
      case 'refused': {
        const { id, problem: why } = contentOf(frame)
        return textMessage(this.#error(why ?? nothingHere(), id))
      }
      case 'reset':
        return textMessage(this.#error(problem('cursor_gone', 'The log was replaced. Connect again for the history.')))
      case 'unfollowed':
      case 'problem':
        return textMessage(this.#error(contentOf(frame).problem ?? nothingHere()))
      case 'goodbye':
        return textMessage(this.#error(problem('draining', 'The server is going down. Connect again in a moment.')))
      case 'welcome':
      case 'accepted':
      case 'urgent':
      case 'caught_up':
      case 'ephemeral':
      case 'heads':
      case 'pong':
        return undefined
    }
  }

  left(): void {
    this.#gate = undefined
  }

  #hear(stream: string, event: Envelope): void {
    const { kind, id } = splitStream(stream)
    const known = asKnown(event)
    if (kind === 'task') {
      // One that has begun since: all that was said in it.
      if (known?.type === 'task.session_seen') this.#follow(`session:${known.data.session}`, '0')
      return
    }
    this.#telling = this.#telling
      .then(async () => {
        // What agents write comes without its words here, and what they print stays away: of the words all are read at once.
        const whole = known?.type === 'message.completed' ? await this.#ports.desk.readEvent(stream, event.seq) : event
        const message = whole && saidIn(this.#ports.task, id, whole)
        if (message && this.#gate) this.#ports.say(message)
      })
      .catch((error: unknown) => {
        this.#ports.fault(error)
        this.#refuse(problem('storage_unavailable', 'The log cannot be read now. Connect again for what is missing.'))
      })
  }

  #follow(stream: string, after: string): void {
    if (this.#followed.has(stream)) return
    this.#followed.add(stream)
    this.#gate?.receive({ t: 'follow', stream, after, without: 'output' })
  }

  #refuse(why: Problem, id?: string): void {
    this.#ports.say(this.#error(why, id))
  }

  #error({ code, detail }: Problem, id?: string): InteractMessage {
    return { type: 'error', content: detail, code, ...(id === undefined ? {} : { id }), timestamp: this.#now() }
  }

  #now(): string {
    return timestamp(this.#ports.clock)
  }
}

/** What is told of an event of a session; undefined where nothing is said in it. */
function saidIn(task: string, session: string, event: Envelope): InteractMessage | undefined {
  const known = asKnown(event)
  const at = { session_id: session, timestamp: event.at }
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others are words, or nothing
  switch (known?.type) {
    case 'turn.started':
      return { type: 'status_update', status: 'thinking', ...at }
    case 'message.edited': {
      if (!known.body) return undefined
      const said = { id: known.data.message, user_id: event.actor.id, content: known.body.text, metadata: {}, ...at }
      return { type: 'user_message', ...said, edited: true }
    }
    case 'message.withdrawn': {
      const { message } = known.data
      const content = 'A message was withdrawn before the agent had it.'
      const said = { id: `withdrawn-${message}`, user_id: null, content, metadata: { withdrawn: message }, ...at }
      return { type: 'system_notification', ...said }
    }
    default: {
      const said = interactionOf(task, session, event)
      if (!said) return undefined
      const { id, user_id, content, metadata } = said
      return { type: said.message_type, id, user_id, content, metadata, ...at }
    }
  }
}

/** What is read of a frame, by its kind. */
interface Content {
  stream?: string
  id?: string
  events?: readonly Envelope[]
  problem?: Problem
}

function contentOf(frame: SharedFrame): Content {
  return JSON.parse(Buffer.from(frame.json).toString('utf8')) as Content
}
