import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openApprovals, type SessionState } from '@hotline/core/session/state'
import type { EventOf, EventType } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import type { ModelServer } from '@hotline/testing/model/model-server'
import type { Api } from '../api.ts'

/** For everything that an agent does in one go; some take long to come up on a busy machine. */
const deadlineMs = 90_000

/**
 * One session of a real agent, and what a person does in it. `$CWD` in a message stands for its folder. Turns are counted,
 * and events and words are read, from the last mark on: tests share a session, since some agents take long to start.
 */
export class AgentTalk {
  readonly api: Api
  readonly model: ModelServer
  readonly session: string
  readonly cwd: string
  #fromSeq = 0
  #turnsBefore = 0

  constructor(ports: { api: Api; model: ModelServer; session: string; cwd: string }) {
    this.api = ports.api
    this.model = ports.model
    this.session = ports.session
    this.cwd = ports.cwd
  }

  /** What comes from now on is what counts. The agent has to be at rest. */
  async mark(): Promise<void> {
    const events = await this.api.events(this.session)
    this.#fromSeq = events.at(-1)?.seq ?? 0
    this.#turnsBefore = (await this.api.state(this.session)).counts.turns
  }

  get stream(): string {
    return `session:${this.session}`
  }

  /** The text of a file in the agent's folder; undefined where there is none. */
  file(name: string): string | undefined {
    const path = join(this.cwd, name)
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined
  }

  until(what: string, check: (state: SessionState) => unknown): Promise<SessionState> {
    return this.api
      .until(
        this.session,
        what,
        (state) => {
          // Waiting for an agent that is gone only hides why it went.
          if (state.status === 'interrupted' && what !== 'interrupted') throw new Error(`it ended: ${state.reason}`)
          return check(state)
        },
        deadlineMs,
      )
      .catch(async (error: unknown) => {
        const tail = (await this.api.events(this.session)).slice(-12)
        const told = tail.map(({ type, data, body }) => JSON.stringify({ type, data, body }).slice(0, 700))
        const calls = this.model.calls
          .slice(-6)
          .map(({ kind, step, outcome, tools }) => `${kind} ${step} ${outcome} (${tools.length} tools)`)
        throw new Error([String(error), ...told, ...calls, ...this.model.missed].join('\n'), { cause: error })
      })
  }

  /** Waits until so many requests are open; answers them as they were shown, oldest first. */
  async asks(count = 1): Promise<EventOf<'approval.requested'>[]> {
    const state = await this.until(`${count} open asks`, (now) => openApprovals(now).length === count)
    const open = openApprovals(state).map(({ approval }) => approval)
    return (await this.events('approval.requested')).filter(({ data }) => open.includes(data.approval))
  }

  async ask(): Promise<EventOf<'approval.requested'>> {
    const [one] = await this.asks()
    if (!one) throw new Error('no ask')
    return one
  }

  async decide(
    { data }: EventOf<'approval.requested'>,
    verdict: 'allow' | 'deny' | 'modify',
    more: { reason?: string; input?: string } = {},
  ): Promise<void> {
    const { approval, digest } = data
    await this.api.command(this.stream, 'approval.decide', { approval, digest, verdict, ...more })
  }

  async send(text: string): Promise<void> {
    await this.api.command(this.stream, 'message.send', { text: text.replaceAll('$CWD', this.cwd) })
  }

  interrupt(): Promise<unknown> {
    return this.api.command(this.stream, 'session.interrupt', {})
  }

  /** How many turns there were. */
  async turnCount(): Promise<number> {
    return (await this.api.state(this.session)).counts.turns - this.#turnsBefore
  }

  /** Waits until so many turns are over and nothing is under way; answers how the last one ended. */
  async turns(count: number): Promise<EventOf<'turn.ended'>> {
    const isOver = (state: SessionState): boolean =>
      state.counts.turns >= this.#turnsBefore + count && state.turn === undefined && state.queue.length === 0
    await this.until(`${count} turns to be over`, isOver)
    const last = (await this.events('turn.ended')).at(-1)
    if (!last) throw new Error('no turn has ended')
    return last
  }

  async events<T extends EventType>(type: T): Promise<EventOf<T>[]> {
    return (await this.api.events(this.session)).flatMap((event) => {
      const known = asKnown(event)
      return known?.type === type && event.seq > this.#fromSeq ? [known as EventOf<T>] : []
    })
  }

  /** What the agent said, whole. */
  async said(): Promise<string> {
    return (await this.events('message.completed')).map(({ body }) => body?.text ?? '').join('\n')
  }
}
