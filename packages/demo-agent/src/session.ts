import type { SessionModeState } from '@agentclientprotocol/sdk'
import type { Step, ToolKind } from './script.ts'
import type { Transcript } from './transcript.ts'

/** A question that was asked as text: the next prompt is its answer. */
export interface PendingQuestion {
  question: Extract<Step, { do: 'question' }>
  /** What the turn would have done next. */
  rest: readonly Step[]
}

/** What was said into a turn and not heard yet. */
export interface Inbox {
  texts: string[]
  /** Called when something comes. */
  arrived: (() => void) | null
}

/** One ACP session of this process. */
export interface Session {
  readonly id: string
  /** Absolute; the agent touches nothing outside. */
  readonly cwd: string
  readonly transcript: Transcript
  modeId: string
  /** Kinds of tool call that somebody allowed with allow_always. Forgotten with the process. */
  readonly alwaysAllowed: Set<ToolKind>
  /** The running turn; a second prompt is refused while there is one. */
  turn: AbortController | null
  pendingQuestion: PendingQuestion | null
  /** What a client says into the running turn. */
  readonly inbox: Inbox
  /** Whether anybody has said anything yet, in this or an earlier process. */
  greeted: boolean
}

/** The mode in which the agent asks before everything that changes something. */
export const ASK_MODE = 'ask'

const AUTO_EDIT_MODE = 'auto-edit'

const MODES = [
  { id: ASK_MODE, name: 'Ask', description: 'Asks before it writes files and before it runs commands' },
  { id: AUTO_EDIT_MODE, name: 'Auto-edit', description: 'Writes files without asking, asks before it runs commands' },
]

/** The mode that forgetMode falls back to: the one that a supervisor must not miss. */
export const FORGETFUL_MODE: string = AUTO_EDIT_MODE

/** Whether session/set_mode may set this mode. The agent's own `mode` step may set any. */
export function isOfferedMode(modeId: string): boolean {
  return MODES.some(({ id }) => id === modeId)
}

/** The modes as session/new, load and resume tell them; the truth even if the agent put itself into a strange one. */
export function modeState(session: Session): SessionModeState {
  const strange = isOfferedMode(session.modeId) ? [] : [{ id: session.modeId, name: session.modeId }]
  return { currentModeId: session.modeId, availableModes: [...MODES, ...strange] }
}

/** Whether the agent must ask before a tool call of this kind. A mode that it does not offer asks for nothing. */
export function mustAsk(session: Session, kind: ToolKind): boolean {
  if (session.alwaysAllowed.has(kind) || !isOfferedMode(session.modeId)) return false
  return session.modeId === ASK_MODE || !(kind === 'edit' || kind === 'delete' || kind === 'move')
}
