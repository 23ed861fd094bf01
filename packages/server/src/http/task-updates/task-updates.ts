import { LineHello } from '@hotline/protocol/agent-line'
import type { Envelope } from '@hotline/protocol/event'
import { closeOf, type Problem, problem } from '@hotline/protocol/error'
import type { QueuePlace } from '@hotline/protocol/queue'
import { formatCursor } from '@hotline/protocol/stream'
import type { TaskUpdate } from '@hotline/protocol/task-updates'
import type { SharedFrame } from '../../feed/shared-frame.ts'
import type { Gate } from '../../gate/gate.ts'
import type { Clock } from '../../machine/clock.ts'
import type { FoundTask } from '../../session/find-task.ts'
import { nothingHere } from '../../session/outcome.ts'
import { parseJson } from '../json.ts'
import type { Speech } from '../speech.ts'
import { textMessage } from '../ws-frame.ts'
import { EventTeller } from './event-teller.ts'
import { formatPlace, parsePlace, queueMessages } from './place.ts'
import type { UpdateDesk } from './update-desk.ts'

/** What the updates of one task need. */
export interface TaskUpdatesPorts {
  /** Of a session or a card, as the address names it. */
  task: string
  /** The id of the last message that an earlier connection had. */
  since: string | undefined
  desk: UpdateDesk
  say: (message: object) => void
  clock: Clock
  fault: (error: unknown) => void
}

/** `/api/agent/:taskId/updates`: a session's stream in the messages of the Task API. Nothing is said to it but a hello. */
export function openTaskUpdates(ports: TaskUpdatesPorts): Speech {
  return new TaskUpdates(ports)
}

class TaskUpdates implements Speech {
  readonly messages = 'text'
  readonly acknowledges = false
  readonly early = 'kept'
  readonly #ports: TaskUpdatesPorts
  #gate: Gate | undefined
  #task: FoundTask | undefined
  #teller: EventTeller | undefined
  /** What is told is read from the log in part, and stays in its order. */
  #telling: Promise<void> = Promise.resolve()
  #seq = 0
  #queueMessages = 0
  #leaveQueue: () => void = () => undefined

  constructor(ports: TaskUpdatesPorts) {
    this.#ports = ports
  }

  read(bytes: Buffer): ReturnType<typeof parseJson> {
    return parseJson(bytes.toString('utf8'))
  }

  greeting(input: unknown): ReturnType<Speech['greeting']> {
    const hello = LineHello.safeParse(input)
    if (!hello.success) return undefined
    const { token, ticket } = hello.data
    return { ...(token === undefined ? {} : { token }), ...(ticket === undefined ? {} : { ticket }) }
  }

  async entered(gate: Gate): Promise<Problem | undefined> {
    const { desk, since: said, clock } = this.#ports
    const since = said === undefined ? undefined : parsePlace(said)
    if (said !== undefined && !since)
      return problem('invalid_request', '"since" is the id of a message of this address.')
    const task = await desk.find(gate.principal, this.#ports.task)
    if (!task) return nothingHere()
    const isOfThis = since !== undefined && since.epoch === task.epoch && since.seq <= task.seq
    if (since && !isOfThis) {
      return problem('cursor_gone', 'What was told is not in this log any more. Come again without "since".')
    }
    this.#gate = gate
    this.#task = task
    this.#teller = new EventTeller(desk.store, task, since)
    const { epoch, seq } = task
    // An event makes several messages: the one that the last belongs to is read again, unless all of it was told.
    const after = since ? Math.max(0, since.seq - 1) : seq
    this.#seq = seq
    if (!since || seq === 0) this.#tell((teller) => teller.atState(clock.wallMs()))
    gate.receive({ t: 'follow', stream: task.stream, after: formatCursor({ epoch, seq: after }), without: 'output' })
    this.#leaveQueue = desk.watchQueue(task.state.project, (places) => this.#tellPlace(places))
    return undefined
  }

  receive(_input: unknown, gate: Gate): void {
    gate.strike(problem('invalid_frame', 'Nothing is said here: answers go to /api/agent/:taskId/approve.'))
  }

  write(frame: SharedFrame): Uint8Array | undefined {
    switch (frame.kind) {
      case 'events': {
        const { events } = contentOf(frame)
        for (const event of events ?? []) {
          this.#seq = Math.max(this.#seq, event.seq)
          this.#tell((teller) => teller.tell(event))
        }
        return undefined
      }
      case 'reset':
        this.#end(problem('cursor_gone', 'The log was replaced. Come again without "since".'))
        return undefined
      case 'unfollowed':
        this.#end(contentOf(frame).problem ?? nothingHere())
        return undefined
      case 'problem':
        return textMessage(this.#error(contentOf(frame).problem ?? nothingHere()))
      case 'goodbye': {
        const { retryAfterMs } = contentOf(frame)
        const detail = 'The server is going down. Come back in a moment, with the id of the last message as "since".'
        return textMessage(this.#error(problem('draining', detail, { retryAfterMs })))
      }
      case 'welcome':
      case 'accepted':
      case 'refused':
      case 'urgent':
      case 'caught_up':
      case 'ephemeral':
      case 'heads':
      case 'pong':
        return undefined
    }
  }

  left(): void {
    this.#leaveQueue()
    this.#teller = undefined
  }

  #tell(of: (teller: EventTeller) => Promise<readonly TaskUpdate[]>): void {
    this.#telling = this.#telling
      .then(async () => {
        const teller = this.#teller
        if (!teller) return
        for (const message of await of(teller)) this.#ports.say(message)
        if (teller.isOver) this.#gate?.close(1000, 'over')
      })
      .catch((error: unknown) => {
        this.#ports.fault(error)
        this.#end(problem('storage_unavailable', 'The log cannot be read now. Come back with "since".'))
      })
  }

  #tellPlace(places: readonly QueuePlace[]): void {
    const task = this.#task
    const place = places.find(({ session }) => session === task?.session)
    if (!task || !place || this.#teller?.status !== 'pending' || place.position === null) return
    this.#queueMessages += 1
    const index = queueMessages + this.#queueMessages
    this.#ports.say({
      type: 'queue_update',
      data: {
        taskId: task.session,
        queuePosition: place.position,
        ...(place.wait ? { estimatedWaitTime: place.wait.likelyS } : {}),
      },
      timestamp: this.#ports.clock.wallMs(),
      id: formatPlace({ epoch: task.epoch, seq: this.#seq, index }),
    } satisfies TaskUpdate)
  }

  #end(why: Problem): void {
    this.#ports.say(this.#error(why))
    this.#gate?.close(closeOf(why.code), why.code)
  }

  /** What is wrong with the connection is no message of the task, and has no place in it. */
  #error(why: Problem): object {
    const data = { taskId: this.#task?.session ?? this.#ports.task, message: why.detail, problem: why }
    return { type: 'error', data, timestamp: this.#ports.clock.wallMs(), id: '' }
  }
}

/** What is read of a frame, by its kind. */
interface Content {
  events?: readonly Envelope[]
  problem?: Problem
  retryAfterMs?: number
}

function contentOf(frame: SharedFrame): Content {
  return JSON.parse(Buffer.from(frame.json).toString('utf8')) as Content
}
