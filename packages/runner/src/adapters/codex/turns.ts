import type { TurnEnd } from '@hotline/protocol/events/turn'
import type { AgentEvent, Picture, Said } from '../adapter.ts'
import type { Breaker } from '../wire/breaker.ts'
import { connectionClosed, type Peer, type RpcOutcome } from '../wire/peer.ts'
import { StartedTurn, Terminals, type TurnError, TurnNews } from './schema.ts'
import type { Steps } from './steps.ts'

/** For the processes of a turn that was stopped; after it the turn ends all the same, and people are told. */
const terminateTimeoutMs = 5_000

/**
 * After it a reason counts as not heard: it goes to the agent as its next prompt, at worst a second time. Of a message of a
 * person nobody can say then whether it was heard.
 */
const steerTimeoutMs = 5_000

/** Characters of a patch; a longer one is told by its steps alone. */
const patchChars = 96 * 1024

/** What turns work with. */
export interface TurnPorts {
  peer: Peer
  breaker: Breaker
  steps: Steps
  thread: () => string | undefined
  emit: (event: AgentEvent) => void
  /** It is over: what was open in it is closed now. */
  onEnd: () => void
}

/** Threads that are known besides ours: those of agents that codex has started. */
const threadsMax = 100

interface RunningTurn {
  readonly turn: string
  /** Codex's own name for it, once that is known. */
  native?: string
  /** Codex has begun it: from then on it can be stopped. */
  hasBegun: boolean
  /** It has begun, or never will. */
  readonly begun: PromiseWithResolvers<void>
  isStopping: boolean
  isInterruptSent: boolean
  /** Codex is done with it. */
  hasEnded: boolean
  patch?: string
}

/**
 * The one turn that runs. A prompt begins it; it ends when codex says so, or when it refuses the prompt. A turn that was
 * stopped has ended when its processes have: codex leaves them running.
 */
export class Turns {
  readonly #ports: TurnPorts
  #running: RunningTurn | undefined
  /** The turns that codex runs, by thread: ours, and those of agents that it has started. */
  readonly #native = new Map<string, string>()

  constructor(ports: TurnPorts) {
    this.#ports = ports
  }

  get current(): string | undefined {
    return this.#running?.turn
  }

  get isStopping(): boolean {
    return this.#running?.isStopping === true
  }

  /** Throws where one runs already. */
  begin(turn: string, text: string, pictures: readonly Picture[] = []): void {
    if (this.#running) throw new Error('A turn is under way.')
    const running: RunningTurn = {
      turn,
      hasBegun: false,
      begun: Promise.withResolvers(),
      isStopping: false,
      isInterruptSent: false,
      hasEnded: false,
    }
    this.#running = running
    const { peer, thread } = this.#ports
    const params = { threadId: thread(), input: inputOf(text, pictures) }
    peer.call('turn/start', params, (outcome) => this.#started(running, outcome))
  }

  /** Says something into a turn of codex that runs. Resolves to false where codex does not take it. */
  async steer(text: string, to: { thread: string; turn: string | undefined }): Promise<boolean> {
    if (to.turn === undefined || this.isStopping) return false
    const params = { threadId: to.thread, expectedTurnId: to.turn, input: inputOf(text) }
    return (await this.#steer(params))?.ok === true
  }

  /** A message of a person for our own turn. Rejects where codex does not say whether it has it. */
  async say({ turn, message, text, pictures }: Said): Promise<boolean> {
    const running = this.#running
    if (running?.turn !== turn) return false
    await within(steerTimeoutMs, (settle) => void running.begun.promise.then(settle))
    if (!running.hasBegun || running.isStopping || running.hasEnded) return false
    const threadId = this.#ports.thread()
    const params = {
      threadId,
      expectedTurnId: running.native,
      clientUserMessageId: message,
      input: inputOf(text, pictures),
    }
    const outcome = await this.#steer(params)
    if (outcome === undefined || (!outcome.ok && outcome.code === connectionClosed)) {
      throw new Error('The agent does not say whether it has this.')
    }
    return outcome.ok
  }

  #steer(params: Record<string, unknown>): Promise<RpcOutcome | undefined> {
    return within(steerTimeoutMs, (settle) => this.#ports.peer.call('turn/steer', params, settle))
  }

  stop(): void {
    const running = this.#running
    if (!running || running.hasEnded) return
    running.isStopping = true
    const { steps, peer, thread } = this.#ports
    steps.stopping(running.turn)
    this.#interrupt(running)
    for (const [threadId, turnId] of this.#native) {
      if (threadId !== thread()) peer.call('turn/interrupt', { threadId, turnId }, () => undefined)
    }
  }

  /** turn/started and turn/completed. */
  news(method: 'turn/started' | 'turn/completed', params: unknown): void {
    const parsed = TurnNews.safeParse(params)
    if (!parsed.success) return this.#ports.breaker.count('notification that cannot be read', 'broken')
    const { threadId, turn } = parsed.data
    if (method === 'turn/completed') this.#native.delete(threadId)
    else if (this.#native.size < threadsMax) this.#native.set(threadId, turn.id)
    const running = this.#running
    if (threadId !== this.#ports.thread() || !running || running.hasEnded) return
    // Where the answer to turn/start comes later, this is it.
    if (method === 'turn/started') running.native ??= turn.id
    if (turn.id !== running.native) return
    hasBegun(running)
    if (method === 'turn/completed')
      return this.#completed(running, turn.status ?? 'completed', turn.error ?? undefined)
    if (running.isStopping) this.#interrupt(running)
  }

  diff(native: string, patch: string): void {
    if (this.#running && this.#running.native === native) this.#running.patch = patch
  }

  #started(running: RunningTurn, outcome: RpcOutcome): void {
    if (this.#running !== running || running.hasEnded) return
    // Its death is told by `exit`, and everything that was open ends with it.
    if (!outcome.ok && outcome.code === connectionClosed) return
    if (!outcome.ok) return this.#end(running, running.isStopping ? 'cancelled' : 'error', outcome.message)
    const started = StartedTurn.safeParse(outcome.result)
    if (!started.success) {
      return this.#end(running, 'error', 'The agent began the turn in a way that cannot be read.')
    }
    running.native = started.data.turn.id
    // Codex may have begun one by itself; then the prompt goes into that.
    const { thread } = this.#ports
    if (this.#native.get(thread() ?? '') === running.native) hasBegun(running)
    if (running.isStopping) this.#interrupt(running)
  }

  /** A refusal means that there is nothing to stop yet, or any more: in either case there is news of the turn to come. */
  #interrupt(running: RunningTurn): void {
    if (!running.hasBegun || running.isInterruptSent || running.native === undefined) return
    running.isInterruptSent = true
    const { peer, thread } = this.#ports
    peer.call('turn/interrupt', { threadId: thread(), turnId: running.native }, () => undefined)
  }

  #completed(running: RunningTurn, status: string, error: TurnError | undefined): void {
    running.hasEnded = true
    if (!running.isStopping) return this.#end(running, endOf(status, error), error && wordsOf(error))
    const threads = new Set([this.#ports.thread(), ...this.#native.keys()])
    void Promise.all([...threads].map((thread) => this.#endProcesses(running, thread)))
      .then((ended) => {
        if (ended.includes(false)) this.#tellLeft()
      })
      .finally(() => this.#end(running, 'cancelled', undefined))
  }

  /** Ends what commands of the turn have left running in a thread. Resolves to false where codex does not say so. */
  async #endProcesses({ turn }: RunningTurn, threadId: string | undefined): Promise<boolean> {
    const { peer, steps } = this.#ports
    const call = (method: string, more: Record<string, unknown> = {}): Promise<RpcOutcome | undefined> =>
      within(terminateTimeoutMs, (settle) => peer.call(method, { threadId, ...more }, settle))
    const listed = await call('thread/backgroundTerminals/list')
    if (listed?.ok === false) return listed.code === connectionClosed
    const terminals = Terminals.safeParse(listed?.result)
    if (!terminals.success) return false
    const ours = terminals.data.data.filter(({ itemId }) => steps.isOf(itemId, turn))
    const ended = await Promise.all(
      ours.map(({ processId }) => call('thread/backgroundTerminals/terminate', { processId })),
    )
    return ended.every((outcome) => outcome?.ok === true)
  }

  #tellLeft(): void {
    const text = 'The turn was stopped. Processes of its commands may run on: the agent does not say that they ended.\n'
    this.#ports.emit({ t: 'output', source: 'log', text, bytes: text.length })
  }

  #end(running: RunningTurn, end: TurnEnd, error: string | undefined): void {
    if (this.#running !== running) return
    this.#running = undefined
    running.begun.resolve()
    const { steps, emit, onEnd } = this.#ports
    onEnd()
    steps.turnEnded(running.turn, end === 'cancelled' ? 'nothing' : 'commands')
    const { turn, patch } = running
    emit({
      t: 'turn_ended',
      turn,
      end,
      ...(error === undefined || end === 'cancelled' ? {} : { error }),
      ...(patch === undefined || patch === '' || patch.length > patchChars ? {} : { patch }),
    })
  }
}

function hasBegun(running: RunningTurn): void {
  running.hasBegun = true
  running.begun.resolve()
}

/** The end as codex told it. What it says about the reason is a name, or an object whose one member is that name. */
function endOf(status: string, error: TurnError | undefined): TurnEnd {
  if (status === 'interrupted') return 'cancelled'
  if (status !== 'failed') return 'end'
  const info = error?.codexErrorInfo
  if (info === 'contextWindowExceeded' || info === 'sessionBudgetExceeded' || info === 'usageLimitExceeded') {
    return 'limit'
  }
  return info === 'cyberPolicy' || info === 'misalignmentPolicyViolation' ? 'refused' : 'error'
}

function wordsOf({ message, additionalDetails }: TurnError): string {
  const text = [message, additionalDetails].filter(Boolean).join(': ')
  return text === '' ? 'The agent gave no reason.' : text
}

function inputOf(text: string, pictures: readonly Picture[] = []): readonly unknown[] {
  const images = pictures.map(({ path }) => ({ type: 'localImage', path }))
  return [{ type: 'text', text, text_elements: [] }, ...images]
}

/** What came of a call, or undefined after the time. */
function within<T>(timeoutMs: number, call: (settle: (outcome: T) => void) => void): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), timeoutMs)
    call((outcome) => {
      clearTimeout(timer)
      resolve(outcome)
    })
  })
}
