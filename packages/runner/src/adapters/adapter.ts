import type { Usage } from '@hotline/core/session/state'
import type { Capabilities } from '@hotline/protocol/capabilities'
import type { FilePlace, OutputSource } from '@hotline/protocol/events/output'
import type { Exit } from '@hotline/protocol/events/session'
import type { FileChange, StepKind, StepOutcome, TurnEnd } from '@hotline/protocol/events/turn'
import type { Followed } from './log/file-follower.ts'
import type { HeldTree, Holder, ProcessSpec, TerminalSize } from '../process/holder.ts'

/**
 * The port between a session and its agent. An adapter translates and nothing else: no policy, no storage. What the agent
 * does arrives as events in one strict order; what people want goes in as calls. All ids in here are ours.
 */

/** What translates between an agent and us: a protocol (`acp`, `claude`, `codex`), or the output of any program. */
export const adapterNames = ['acp', 'claude', 'codex', 'pty', 'pipe', 'log'] as const

/** See `adapterNames`. `mcp`: an agent that runs elsewhere and only uses the tools; no profile can be made of it. */
export type AdapterName = (typeof adapterNames)[number] | 'mcp'

/** True where a program is run as it is: one that ends by itself has finished, and nobody expects that it asks. */
export function runsProgram(adapter: AdapterName): boolean {
  return adapter === 'pty' || adapter === 'pipe' || adapter === 'log' || adapter === 'mcp'
}

/** True where nothing ends with this process: a file is followed again from its place, as if nothing had happened. */
export function outlivesRunner(adapter: AdapterName): boolean {
  return adapter === 'log'
}

/** How we know that an agent asks before it acts. */
export type Asking =
  /** It has modes, and in one of these it asks; forced and read back after every start, load and resume. */
  | { by: 'mode'; modes: readonly string[] }
  /** Settings that we hand over make it ask; nothing on the wire confirms it. */
  | { by: 'settings' }

/** What an adapter needs to start an agent. */
export interface StartSpec extends ProcessSpec {
  asking: Asking
  /** The mode that a person chose; otherwise the first one that asks. */
  mode?: string | undefined
  /** The agent's own name for a session that is taken up again. */
  resume?: string | undefined
  /** What "allow always" means to this agent; absent: it is not offered. */
  allowAlways?: 'session' | 'project' | undefined
  /** It can change no settings of its own: they lie outside of its fence. */
  fenced?: true | undefined
  /** Whatever this agent says, it cannot be taken up again. */
  losesSessions?: boolean | undefined
  size?: TerminalSize | undefined
  /** What is followed, where nothing is started. */
  file?: Followed | undefined
  /** What earlier processes of the session used, for agents that count from their start. */
  usedBefore?: Usage | undefined
  /** Of the ids of what it brings about; a later life of the runner that finds it alive uses the same. */
  seed?: string | undefined
}

/** What is known of an agent once it runs; later changes come as `profile` events with the changed members. */
export interface AgentFacts {
  /** Only where they changed: what it could do at its start is in the session. */
  capabilities?: Capabilities | undefined
  mode?: string | undefined
  modes?: readonly { id: string; name: string }[] | undefined
  model?: string | undefined
  native?: string | undefined
}

/** A request for permission. */
export interface Ask {
  ask: string
  /** The step that waits for the answer; absent where none does. */
  step: string | undefined
  tool: string
  title: string
  /** What would run, as text: the agent's raw arguments. */
  input: string
  reason?: string | undefined
  /** Its input is a plan that the agent wants to begin, in words, and nothing runs by a yes. */
  plan?: true | undefined
  changes?: readonly FileChange[] | undefined
  /** The answers that it takes. */
  verdicts: readonly ('allow' | 'deny' | 'modify')[]
  scopes: readonly ('once' | 'session' | 'project')[]
  /** What the answer controls; absent: the agent's goodwill. `enforced`: it runs the input that the answer carries. */
  strength?: 'enforced' | undefined
  /** What would not be asked any more after a yes for longer than once, in words. */
  lasting?: string | undefined
}

/** How many lines were read of an agent in its life, and those that could not be used, by what was wrong with them. */
export interface Heard {
  lines: number
  unused: Readonly<Record<string, number>>
}

/** What one model did for a session; tokens that it read from a cache are among those that it read. */
export interface ModelUsage {
  model: string
  inputTokens: number
  outputTokens: number
  costUsd?: number | undefined
}

/**
 * What an agent does, in the words of no agent. `at`: the byte up to which it has said so, where it can be gone through once
 * more; of output, the byte of the pipe that it came through.
 */
export type AgentEvent = { at?: number | undefined } & AgentDeed

type AgentDeed =
  | ({ t: 'profile' } & AgentFacts)
  | { t: 'text'; role: 'agent' | 'thought'; message: string; delta: string }
  | {
      t: 'step_started'
      step: string
      kind: StepKind
      title: string
      input?: unknown
      /** The step of ours whose sub-agent takes this one. */
      parent?: string | undefined
      locations?: readonly string[] | undefined
      changes?: readonly FileChange[] | undefined
    }
  | {
      t: 'step_progressed'
      step: string
      title?: string | undefined
      input?: unknown
      output?: string | undefined
      locations?: readonly string[] | undefined
      changes?: readonly FileChange[] | undefined
    }
  | {
      t: 'step_finished'
      step: string
      outcome: StepOutcome
      title?: string | undefined
      output?: string | undefined
      error?: string | undefined
      changes?: readonly FileChange[] | undefined
    }
  /** The model has what was said into the turn (`steer`): what comes from now on is said knowing it. */
  | { t: 'heard'; message: string }
  | { t: 'ask'; ask: Ask }
  /** It no longer waits for an answer, and did not get one from us. */
  | { t: 'ask_closed'; ask: string; reason: 'agent_withdrew' | 'turn_ended' }
  | { t: 'question'; question: string; text: string; schema?: Record<string, unknown> | undefined }
  | { t: 'question_closed'; question: string; reason: 'agent_withdrew' | 'turn_ended' }
  | { t: 'plan'; entries: readonly { text: string; status: 'pending' | 'in_progress' | 'completed' }[] }
  | ({ t: 'usage'; models?: readonly ModelUsage[] | undefined } & Usage)
  /** `place`: where a file is read on from after this; what is read of it at once fits into one event. */
  | { t: 'output'; source: OutputSource; text: string; bytes: number; place?: FilePlace | undefined }
  /** It works without a message of ours: something that it had begun has ended, or its time has come. */
  | { t: 'turn_began'; turn: string }
  /** `patch`: what the agent says that it changed in the turn, as a git patch. */
  | { t: 'turn_ended'; turn: string; end: TurnEnd; error?: string | undefined; patch?: string | undefined }
  /** It tells people something, whole, beside what it is saying. */
  | { t: 'said'; message: string; text: string }
  /** It shows people a picture, in base64. */
  | { t: 'picture'; message: string; type: string; base64: string }
  /** It says that what it was to do is done. */
  | { t: 'goal'; summary?: string | undefined }
  /** It cannot be worked with any longer; the adapter has begun to end it. */
  | { t: 'fault'; note: string }
  /** The last event. */
  | { t: 'exit'; exit: Exit; heard?: Heard }

/** What a person decided, for the agent. `scope` above `once` only where the ask offered it. */
export type Verdict =
  /** `reason`: a person's own words. Where they go with a yes, few agents can hear them; with a no, see `capabilities.denyReason`. */
  | { verdict: 'allow'; scope: 'once' | 'session' | 'project'; reason?: string | undefined }
  | { verdict: 'modify'; input: string; reason?: string | undefined }
  /** `because`: no person has decided it, and the reason, where there is one, is in no person's words. */
  | {
      verdict: 'deny'
      reason?: string | undefined
      because?: 'timed_out' | 'queue_full' | 'rule' | 'recalled' | undefined
    }

/**
 * What became of an answer. `stale`: it no longer asks. `unsupported`: this agent cannot be answered so. `reason_unheard`: it
 * has the answer, but not the reason that came with it; `reason_heard`: both, whatever its agent can hear otherwise.
 */
export type AnswerResult = 'applied' | 'stale' | 'unsupported' | 'reason_unheard' | 'reason_heard'

/** A person's answer to a question of the agent. */
export type QuestionAnswer = { action: 'accept'; content: unknown } | { action: 'decline' } | { action: 'cancel' }

/** A message for the turn that runs. Its name is ours, and comes back where the agent tells that it has it. */
export interface Said {
  turn: string
  message: string
  text: string
  /** As of a prompt. */
  pictures?: readonly Picture[] | undefined
}

/** A picture on this machine that comes with a prompt; its path stands in the text as well. */
export interface Picture {
  path: string
  /** A media type that was found from its bytes. */
  type: string
}

/** A running agent. */
export interface AgentSession {
  /** Absent where there is no process, as where a file is followed. */
  readonly pid: number | undefined
  /** RFC 3339. */
  readonly startedAt: string
  /** Its processes, to stop them, let them go on, and look at them; absent where there is none. */
  readonly tree: HeldTree | undefined
  /** As they are now. */
  readonly capabilities: Capabilities
  readonly facts: AgentFacts
  /** For one reader, which sets the pace: an agent whose events are not read is not read either. Ends after `exit`. */
  events(): AsyncIterable<AgentEvent>
  /**
   * Hands a prompt over. Resolves when it is out of our hands, long before the turn ends. One at a time. `message`: the
   * person's, for whoever goes through what was done once more. `pictures`: for a model that can look at them.
   */
  prompt(turn: string, text: string, message?: string, pictures?: readonly Picture[]): Promise<void>
  /**
   * Says a message into the turn that runs, where `capabilities.steer` says that it can. Resolves to false where the agent did
   * not hear it and never will; rejects where nobody can say.
   */
  steer?(said: Said): Promise<boolean>
  /** Idempotent. */
  answer(ask: string, verdict: Verdict): Promise<AnswerResult>
  /** Tells the agent that there is no answer and will be none. */
  dismiss(ask: string): Promise<void>
  answerQuestion(question: string, answer: QuestionAnswer): Promise<'applied' | 'stale'>
  /** Stops the turn and closes every open ask; the turn's end comes as an event. */
  interrupt(): Promise<void>
  /** Rejects with a sentence for people where the agent refuses. */
  setMode(mode: string): Promise<void>
  /** `input`: their name in the log. */
  keys(bytes: Uint8Array, input?: string): Promise<void>
  resize(size: TerminalSize): void
  /** Ends the whole tree; resolves when nothing is left, to the pids that could not be ended. */
  stop(graceMs: number): Promise<readonly number[]>
}

/** Starts agents of one kind. */
export interface AgentDriver {
  readonly adapter: AdapterName
  /** Rejects with a StartError where the agent cannot be started or will not be supervised. */
  start(spec: StartSpec, holder: Holder, signal: AbortSignal): Promise<AgentSession>
}

/** Why an agent could not be started, in a sentence for people. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartError'
  }
}
