import type { TurnEnd } from '@hotline/protocol/events/turn'

/** A message of ours, until the turn that it makes has ended. */
interface Asked {
  turn: string
  /** The message's id on the wire. */
  uuid: string
  /** The agent has taken it up. */
  isStarted: boolean
  /** It is answered, but not what was said into its turn. */
  isAnswered: boolean
}

/** A message of ours that was said into a turn. */
interface Said {
  message: string
  /** The agent has taken it up: its model has it with the next call. */
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
  /** The model has a message that was said into a turn. */
  heard: (message: string) => void
  /** True while something that the agent asked is unanswered. */
  isAsking: () => boolean
}

/**
 * Which turn is going on. The agent takes our messages one after another, and says of each when it takes it up and when it
 * is done; in between it begins turns of its own, when something that runs beside the conversation ends. An end of a turn
 * belongs to our message only if the agent has taken that up. While a sub-agent waits for an answer the turn is not over,
 * even if the agent has no more to say: the end is told when the answer is there. Nor is it over while the agent has not
 * taken up what was said into it: it does that with its next call of the model, or right after an end that it tells by then.
 */
export class Turns {
  readonly #ports: TurnPorts
  readonly #id: () => string
  #asked: Asked | undefined
  #own: string | undefined
  /** What was said into the turn and is not done with, by its id on the wire. */
  readonly #said = new Map<string, Said>()
  #held: { turn: string; ending: Ending } | undefined
  /** The agent tells what becomes of messages; old versions do not. */
  #isTold = false
  #isCancelling = false
  /** The present turn has got as far as it can be interrupted. */
  #isUnderWay = false

  /** `id` makes ids. */
  constructor(ports: TurnPorts, id: () => string) {
    this.#ports = ports
    this.#id = id
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
    const uuid = this.#id()
    this.#asked = { turn, uuid, isStarted: false, isAnswered: false }
    this.#isCancelling = false
    this.#isUnderWay = false
    return uuid
  }

  /** We say something into the present one. Undefined where there is none, or it is being stopped. */
  say(turn: string, message: string): string | undefined {
    if (this.#asked?.turn !== turn || this.#isCancelling) return undefined
    const uuid = this.#id()
    this.#said.set(uuid, { message, isStarted: false })
    return uuid
  }

  /** The present one is to be stopped. */
  cancel(): void {
    this.#isCancelling = this.current !== undefined
    // Between two answers there is nothing to stop.
    if (this.#asked?.isAnswered && !this.#isUnderWay) this.#end(this.#asked.turn, { end: 'cancelled' })
  }

  /** What becomes of a message of ours. */
  lifecycle(uuid: string, state: string): void {
    this.#isTold = true
    const said = this.#said.get(uuid)
    if (said) return this.#told(uuid, said, state)
    const asked = this.#asked
    if (!asked || asked.uuid !== uuid) return
    if (state === 'started') asked.isStarted = true
    if (state === 'queued' || state === 'started' || asked.isAnswered || this.#held?.turn === asked.turn) return
    this.#answered(asked, { end: state === 'completed' && !this.#isCancelling ? 'end' : 'cancelled' })
  }

  #told(uuid: string, said: Said, state: string): void {
    if (state === 'queued') return
    if (state === 'started') {
      said.isStarted = true
      // Its turn is over: this one is its own.
      if (this.current === undefined) this.#beginOwn()
      return this.#ports.heard(said.message)
    }
    this.#said.delete(uuid)
    if (this.#asked?.isAnswered && this.#said.size === 0) this.#end(this.#asked.turn, { end: 'end' })
  }

  /** The agent begins to work. */
  started(): void {
    this.#isUnderWay = true
    const isOurs = this.#asked && (this.#asked.isStarted || !this.#isTold)
    if (isOurs || this.#own !== undefined || this.#held) return
    this.#beginOwn()
  }

  #beginOwn(): void {
    this.#own = this.#id()
    this.#ports.began(this.#own)
  }

  /** The agent comes to rest. */
  result(ending: Ending): void {
    const asked = this.#asked
    if (asked && (asked.isStarted || !this.#isTold)) return this.#answered(asked, ending)
    if (this.#own !== undefined) this.#end(this.#own, ending)
  }

  /** Something that it asked is closed. */
  settled(): void {
    const held = this.#held
    if (!held || this.#ports.isAsking()) return
    this.#held = undefined
    this.#tell(held.turn, this.#isCancelling ? { end: 'cancelled' } : held.ending)
  }

  /** What comes next is the answer to what was said into the turn, where that waits. */
  #answered(asked: Asked, ending: Ending): void {
    // An old version would not say that it has taken it up.
    const waits = this.#isTold && [...this.#said.values()].some(({ isStarted }) => !isStarted)
    if (!waits || ending.end !== 'end' || this.#isCancelling) return this.#end(asked.turn, ending)
    asked.isAnswered = true
    this.#isUnderWay = false
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
