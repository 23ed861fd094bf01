import { randomUUID } from 'node:crypto'
import type { TurnEnd } from '@hotline/protocol/events/turn'

/** A message of ours, until the turn that it makes has ended. */
interface Asked {
  turn: string
  /** The message's id on the wire. */
  uuid: string
  /** The agent has taken it up. */
  isStarted: boolean
}

/** How a turn ended. */
export interface Ending {
  end: TurnEnd
  error?: string | undefined
}

/** What is told of turns. */
export interface TurnPorts {
  /** The agent began one that nobody asked for. */
  began: (turn: string) => void
  ended: (turn: string, ending: Ending) => void
  /** True while something that the agent asked is unanswered. */
  isAsking: () => boolean
}

/**
 * Which turn is going on. The agent takes our messages one after another, and says of each when it takes it up and when it
 * is done; in between it begins turns of its own, when something that runs beside the conversation ends. An end of a turn
 * belongs to our message only if the agent has taken that up. While a sub-agent waits for an answer the turn is not over,
 * even if the agent has no more to say: the end is told when the answer is there.
 */
export class Turns {
  readonly #ports: TurnPorts
  #asked: Asked | undefined
  #own: string | undefined
  #held: { turn: string; ending: Ending } | undefined
  /** The agent tells what becomes of messages; old versions do not. */
  #isTold = false
  #isCancelling = false
  /** The present turn has got as far as it can be interrupted. */
  #isUnderWay = false

  constructor(ports: TurnPorts) {
    this.#ports = ports
  }

  get isBusy(): boolean {
    return this.#asked !== undefined
  }

  /** Undefined while the agent rests. */
  get current(): string | undefined {
    return this.#held?.turn ?? this.#own ?? this.#asked?.turn
  }

  get isUnderWay(): boolean {
    return this.#isUnderWay
  }

  get isCancelling(): boolean {
    return this.#isCancelling
  }

  /** We send a message. */
  begin(turn: string): string {
    const uuid = randomUUID()
    this.#asked = { turn, uuid, isStarted: false }
    this.#isCancelling = false
    this.#isUnderWay = false
    return uuid
  }

  /** The present one is to be stopped. */
  cancel(): void {
    this.#isCancelling = this.current !== undefined
  }

  /** What becomes of a message of ours. */
  lifecycle(uuid: string, state: string): void {
    this.#isTold = true
    const asked = this.#asked
    if (!asked || asked.uuid !== uuid) return
    if (state === 'started') asked.isStarted = true
    if (state === 'queued' || state === 'started' || this.#held?.turn === asked.turn) return
    this.#end(asked.turn, { end: state === 'completed' && !this.#isCancelling ? 'end' : 'cancelled' })
  }

  /** The agent begins to work. */
  started(): void {
    this.#isUnderWay = true
    const isOurs = this.#asked && (this.#asked.isStarted || !this.#isTold)
    if (isOurs || this.#own !== undefined || this.#held) return
    this.#own = randomUUID()
    this.#ports.began(this.#own)
  }

  /** The agent comes to rest. */
  result(ending: Ending): void {
    const asked = this.#asked
    if (asked && (asked.isStarted || !this.#isTold)) return this.#end(asked.turn, ending)
    if (this.#own !== undefined) this.#end(this.#own, ending)
  }

  /** Something that it asked is closed. */
  settled(): void {
    const held = this.#held
    if (!held || this.#ports.isAsking()) return
    this.#held = undefined
    this.#tell(held.turn, this.#isCancelling ? { end: 'cancelled' } : held.ending)
  }

  #end(turn: string, ending: Ending): void {
    if (this.#held) return
    if (this.#ports.isAsking()) this.#held = { turn, ending }
    else this.#tell(turn, ending)
  }

  #tell(turn: string, ending: Ending): void {
    if (this.#asked?.turn === turn) this.#asked = undefined
    // What the agent had begun by itself has become part of what we asked.
    this.#own = undefined
    this.#isUnderWay = false
    this.#isCancelling = false
    this.#ports.ended(turn, ending)
  }
}
