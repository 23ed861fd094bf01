import type { SessionState } from '@hotline/core/session/state'
import {
  LineCommand,
  lineCommands,
  LineHello,
  type LineMessage,
  type LineOutcome,
  type LineState,
} from '@hotline/protocol/agent-line'
import { holdsAgent } from '@hotline/protocol/session-status'
import { isTypedTo } from '@hotline/protocol/capabilities'
import { issuesOf } from '@hotline/protocol/command'
import { closeOf, type Problem, problem } from '@hotline/protocol/error'
import type { ClientFrame } from '@hotline/protocol/frame'
import type { SharedFrame } from '../../feed/shared-frame.ts'
import { type Gate, sentence } from '../../gate/gate.ts'
import { type Clock, timestamp } from '../../machine/clock.ts'
import { nothingHere } from '../../session/outcome.ts'
import type { StreamState } from '../../session/state.ts'
import { parseJson } from '../json.ts'
import type { Speech } from '../speech.ts'
import { textMessage } from '../ws-frame.ts'
import { Allowance } from '../../machine/allowance.ts'
import type { FoundAgent } from './find-agent.ts'
import { lineEvidence, lineState } from './line-state.ts'
import type { LineDesk } from './open-agent-lines.ts'

/** Commands of one line at once, and in each second after that; what is over is refused and can be sent again. */
const commandsBurst = 200
const commandsPerSecond = 50
/** Refusals of that kind, counted alike; whoever sends on after so many loses the line. */
const refusalsBurst = 5_000
const refusalsPerSecond = 100
/** A control that has no result for so long is answered as under way. */
const answerMs = 10_000

/** What the line of an agent needs. */
export interface AgentLinePorts {
  /** The name in the address. */
  name: string
  /** Whom it means; absent where nobody has said yet who asks. */
  found: FoundAgent | undefined
  desk: LineDesk
  snapshot: (stream: string) => Promise<{ state: StreamState; cursor: string } | undefined>
  say: (message: LineMessage) => void
  clock: Clock
  newId: () => string
  fault: (error: unknown) => void
}

/** A command that the gate has and that is not answered yet. */
interface Asked {
  requestId: string
  command: LineCommand['command']
  /** Where it stands in the log, once it does. */
  seq?: number
  /** Whether the agent's side has to do something, or nothing follows. */
  ends: 'when_done' | 'at_once'
  cancel: () => void
}

type CommandFrame = Extract<ClientFrame, { t: 'command' }>

/**
 * `/ws/agents/:name` as a way of speaking with the gate: its commands are the session's own commands, its status is the state
 * that everybody follows, and rights, limits and the end of the server are the gate's.
 */
export function openAgentLine(ports: AgentLinePorts): Speech {
  return new AgentLine(ports)
}

class AgentLine implements Speech {
  readonly messages = 'text'
  readonly acknowledges = false
  readonly early = 'kept'
  readonly #ports: AgentLinePorts
  readonly #commands: Allowance
  readonly #refusals: Allowance
  /** By the id that the session's log knows them by. */
  readonly #asked = new Map<string, Asked>()
  #stream = ''
  #state: SessionState | undefined
  #shown = ''
  #leave: () => void = () => undefined
  #gate: Gate | undefined
  /** One look at the state at a time; another one after it where something came meanwhile. */
  #looking: 'no' | 'yes' | 'again' = 'no'
  /** The message that is being read: a strike of the gate answers it. */
  #reading: { requestId: string; command?: string | undefined } | undefined

  constructor(ports: AgentLinePorts) {
    this.#ports = ports
    this.#commands = new Allowance(commandsBurst, commandsPerSecond, ports.clock)
    this.#refusals = new Allowance(refusalsBurst, refusalsPerSecond, ports.clock)
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
    const found = this.#ports.found ?? (await this.#ports.desk.find(gate.principal, this.#ports.name))
    if ('code' in found) return found
    this.#stream = `session:${found.session}`
    const snapshot = await this.#ports.snapshot(this.#stream)
    if (snapshot?.state.kind !== 'session') return nothingHere()
    this.#state = snapshot.state
    this.#gate = gate
    this.#leave = this.#ports.desk.open.add({ name: this.#ports.name, ...found })
    const data = lineState(snapshot.state)
    this.#shown = JSON.stringify(data)
    this.#say({ type: 'connected', data }, this.#ports.newId())
    gate.receive({ t: 'follow', stream: this.#stream, after: snapshot.cursor })
    return undefined
  }

  receive(input: unknown, gate: Gate): void {
    const requestId = textIn(input, 'request_id') ?? this.#ports.newId()
    const command = textIn(input, 'command')
    const refuse = (refusal: Problem): void => this.#refuse(refusal, requestId, command)
    const allowed = this.#commands.take()
    if (!allowed.ok) {
      const { retryAfterMs } = allowed
      const refusal = problem('rate_limited', 'Too many commands in a second. Send it again a little later.', {
        retryAfterMs,
      })
      refuse(refusal)
      if (!this.#refusals.take().ok) gate.close(closeOf(refusal.code), refusal.code)
      return
    }
    const parsed = LineCommand.safeParse(input)
    if (!parsed.success) {
      if (textIn(input, 'type') === 'command' && command !== undefined && !isKnown(command)) {
        const known = lineCommands.join(', ')
        return refuse(problem('invalid_request', `There is no command "${command.slice(0, 40)}". There are: ${known}.`))
      }
      this.#reading = { requestId, command }
      const issues = issuesOf(parsed.error, '')
      gate.strike(problem('invalid_frame', `This message is not understood: ${sentence(issues)}`, { issues }))
      this.#reading = undefined
      return
    }
    const { agent } = parsed.data
    if (agent !== undefined && agent !== this.#ports.name) {
      return refuse(problem('invalid_request', `This is the line of "${this.#ports.name}", not of "${agent}".`))
    }
    this.#carryOut(parsed.data, requestId, gate)
  }

  /** Everything that comes of a follow says the same here: look at the state again. */
  write(frame: SharedFrame): Uint8Array | undefined {
    switch (frame.kind) {
      case 'events':
      case 'urgent':
      case 'reset':
        this.#look()
        return undefined
      case 'accepted':
      case 'refused':
        this.#answered(contentOf(frame))
        return undefined
      case 'unfollowed': {
        const { problem: refusal } = contentOf(frame) as { problem: Problem }
        this.#refuse(refusal, this.#ports.newId())
        this.#gate?.close(closeOf(refusal.code), refusal.code)
        return undefined
      }
      case 'problem': {
        const { problem: refusal } = contentOf(frame) as { problem: Problem }
        const of = this.#reading
        return textMessage(this.#error(refusal, of?.requestId ?? this.#ports.newId(), of?.command))
      }
      case 'goodbye': {
        const { retryAfterMs } = contentOf(frame) as { retryAfterMs?: number }
        const refusal = problem('draining', 'The server is going down. Come back in a moment.', { retryAfterMs })
        return textMessage(this.#error(refusal, this.#ports.newId()))
      }
      case 'welcome':
      case 'caught_up':
      case 'ephemeral':
      case 'heads':
      case 'pong':
        return undefined
    }
  }

  left(): void {
    this.#leave()
    for (const { cancel } of this.#asked.values()) cancel()
    this.#asked.clear()
  }

  #carryOut(command: LineCommand, requestId: string, gate: Gate): void {
    switch (command.command) {
      case 'get_state':
        this.#readState().then(
          (data) => {
            if (!data) return this.#refuse(nothingHere(), requestId, command.command)
            this.#say({ type: 'response', command: command.command, data }, requestId)
          },
          (error: unknown) => this.#unreadable(error, requestId, command.command),
        )
        return
      case 'pause':
        return this.#ask(command, requestId, gate, 'session.pause', command.data ?? {})
      case 'resume':
        return this.#ask(command, requestId, gate, 'session.resume', {})
      case 'kill':
        return this.#ask(command, requestId, gate, 'session.abort', command.data ?? {})
      case 'send_input': {
        const { input, encoding } = command.data
        if (isTypedTo(this.#state?.capabilities) || this.#state?.capabilities === undefined) {
          return this.#ask(command, requestId, gate, 'input.send', { text: input, encoding })
        }
        if (encoding === 'base64') {
          const refusal = problem('unsupported', 'This agent takes messages, not bytes. Send it as text.')
          return this.#refuse(refusal, requestId, command.command)
        }
        // What is typed to an agent that has turns is a message; the line break that would send it is none of it.
        return this.#ask(command, requestId, gate, 'message.send', { text: input.replace(/\r?\n$/, '') })
      }
    }
  }

  /** With what its machine sees of its processes, where it has any. */
  async #readState(): Promise<LineState | undefined> {
    const state = (await this.#ports.snapshot(this.#stream))?.state
    if (state?.kind !== 'session') return undefined
    const isThere = state.pid !== undefined && holdsAgent(state.status) && state.staleSince === undefined
    const seen = isThere ? await this.#ports.desk.look(this.#stream) : undefined
    return { ...lineState(state), ...lineEvidence(seen) }
  }

  #ask(
    { command }: LineCommand,
    requestId: string,
    gate: Gate,
    type: CommandFrame['type'],
    data: Record<string, unknown>,
  ): void {
    const id = uuid.test(requestId) ? requestId.toLowerCase() : this.#ports.newId()
    if (this.#asked.has(id)) {
      const refusal = problem('invalid_request', 'A command with this request_id is under way on this line.')
      return this.#refuse(refusal, requestId, command)
    }
    const ends = command === 'send_input' ? 'at_once' : 'when_done'
    const cancel = this.#ports.clock.after(answerMs, () => this.#late(id))
    this.#asked.set(id, { requestId, command, ends, cancel })
    const given = Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined))
    gate.receive({ t: 'command', id, stream: this.#stream, type, data: given })
  }

  #answered(answer: { id?: string; seq?: number; problem?: Problem }): void {
    const id = answer.id ?? ''
    const asked = this.#asked.get(id)
    if (!asked) return
    if (answer.problem) {
      this.#forget(id)
      return this.#refuse(answer.problem, asked.requestId, asked.command)
    }
    asked.seq = answer.seq ?? 0
    if (asked.ends === 'at_once') return this.#respond(id, asked, { result: 'done' })
    this.#look()
  }

  #late(id: string): void {
    const asked = this.#asked.get(id)
    if (asked?.seq !== undefined) this.#respond(id, asked, { result: 'under_way' })
  }

  #look(): void {
    if (this.#looking !== 'no') {
      this.#looking = 'again'
      return
    }
    this.#looking = 'yes'
    this.#lookOnce().then(
      () => this.#looked(),
      (error: unknown) => {
        this.#ports.fault(error)
        this.#looked()
      },
    )
  }

  #looked(): void {
    const again = this.#looking === 'again'
    this.#looking = 'no'
    if (again) this.#look()
  }

  async #lookOnce(): Promise<void> {
    const snapshot = await this.#ports.snapshot(this.#stream)
    if (snapshot?.state.kind !== 'session') return
    const { state } = snapshot
    this.#state = state
    const data = lineState(state)
    const shown = JSON.stringify(data)
    const waiting = [...this.#asked].filter(([, { ends, seq }]) => ends === 'when_done' && seq !== undefined)
    if (shown !== this.#shown) {
      this.#shown = shown
      this.#say({ type: 'status', data }, waiting[0]?.[1].requestId ?? this.#ports.newId())
    }
    for (const [id, asked] of waiting) {
      if (state.controls.some(({ control }) => control === id)) continue
      const told = await this.#ports.desk.readSubject(this.#stream, `control:${id}`)
      const last = told.at(-1)
      if (last?.type !== 'control.failed') this.#respond(id, asked, { result: 'done' })
      else this.#respond(id, asked, { result: 'failed', reason: textIn(last.body, 'reason') ?? '' })
    }
  }

  #respond(id: string, asked: Asked, outcome: Pick<LineOutcome, 'result'> & { reason?: string }): void {
    if (!this.#forget(id)) return
    const { requestId, command, seq = 0 } = asked
    const data = { success: outcome.result !== 'failed', ...outcome, id, seq }
    this.#say({ type: 'response', command, data }, requestId)
  }

  /** False where it was answered already. */
  #forget(id: string): boolean {
    this.#asked.get(id)?.cancel()
    return this.#asked.delete(id)
  }

  #unreadable(error: unknown, requestId: string, command: string): void {
    this.#ports.fault(error)
    this.#refuse(problem('storage_unavailable', 'The log cannot be read now. Send it again.'), requestId, command)
  }

  #refuse(refusal: Problem, requestId: string, command?: string): void {
    this.#ports.say(this.#error(refusal, requestId, command))
  }

  #error(refusal: Problem, requestId: string, command?: string): LineMessage {
    return {
      type: 'error',
      timestamp: timestamp(this.#ports.clock),
      agent: this.#ports.name,
      request_id: requestId,
      ...(command === undefined ? {} : { command: command.slice(0, 100) }),
      data: { ...refusal, success: false },
    }
  }

  #say(
    what:
      | Pick<Extract<LineMessage, { type: 'connected' | 'status' }>, 'type' | 'data'>
      | Pick<Extract<LineMessage, { type: 'response' }>, 'type' | 'command' | 'data'>,
    requestId: string,
  ): void {
    const { clock, name, say } = this.#ports
    say({ ...what, timestamp: timestamp(clock), agent: name, request_id: requestId })
  }
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

function isKnown(command: string): boolean {
  return lineCommands.some((known) => known === command)
}

/** A short text that is a member of what was sent, whatever else is wrong with it. */
function textIn(input: unknown, member: string): string | undefined {
  if (typeof input !== 'object' || input === null) return undefined
  const value = (input as Record<string, unknown>)[member]
  return typeof value === 'string' && value.length <= 1_000 ? value : undefined
}

function contentOf(frame: SharedFrame): { id?: string; seq?: number; problem?: Problem } {
  return JSON.parse(Buffer.from(frame.json).toString('utf8')) as { id?: string; seq?: number; problem?: Problem }
}
