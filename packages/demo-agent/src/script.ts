/**
 * The steps that the engine plays, and the helper that packs them into a prompt. This file imports nothing, so that
 * tests of other packages can take it without more; `script-schema.ts` checks at the border what arrives.
 */

/** Why a turn ended, in the words of ACP. */
export type StopReason = 'end_turn' | 'max_tokens' | 'max_turn_requests' | 'refusal' | 'cancelled'

/** The kinds of tool call that ACP knows. */
export type ToolKind =
  | 'read'
  | 'edit'
  | 'delete'
  | 'move'
  | 'search'
  | 'execute'
  | 'think'
  | 'fetch'
  | 'switch_mode'
  | 'other'

/** As ACP has them. */
export type ToolStatus = 'pending' | 'in_progress' | 'completed' | 'failed'

/** One button of a permission request. */
export interface AskOption {
  optionId: string
  name: string
  kind: 'allow_once' | 'allow_always' | 'reject_once' | 'reject_always'
}

/** What one permission request is about and what follows from its answer. */
export interface Ask {
  /** The tool call's id on the wire; a fresh one when left out. */
  tool?: string
  title: string
  kind: ToolKind
  /** rawInput as it is. `path` adds a location; `path` and `content` with kind edit add a diff. */
  input: Record<string, unknown>
  options?: AskOption[]
  /** write, read and run directly in here act on the ask's own tool call. */
  onAllow?: Step[]
  onDeny?: Step[]
  /** File inside cwd to which the outcome is appended as a JSON line before the agent acts on it. */
  record?: string
  /** false: the request itself introduces the tool call's id, as some agents do. */
  announce?: boolean
  /** false: nothing tells about the tool call after a refusal, as some agents do. */
  closeOnDeny?: boolean
  /** On session/cancel: take the request back and end at once, or wait for the client's answer first. */
  whenCancelled?: 'withdraw' | 'await'
}

/** One line of a plan. */
export interface PlanEntry {
  content: string
  status?: 'pending' | 'in_progress' | 'completed'
  priority?: 'high' | 'medium' | 'low'
}

/** Ways of speaking nonsense. `bytes` of the step sizes those that have a size. */
export type NonsenseKind =
  /** a line that is no JSON */
  | 'text'
  /** a line that ends in the middle of a JSON text */
  | 'badJson'
  /** one valid update of `bytes` bytes (40 MiB) */
  | 'hugeLine'
  /** a request and a notification with methods that nobody knows */
  | 'unknownMethod'
  /** a session/update of a kind that nobody knows */
  | 'unknownUpdate'
  /** answers to requests that nobody sent */
  | 'wrongId'
  /** a valid update whose rawInput is arrays in arrays, `bytes` bytes (200,000) of brackets */
  | 'deepJson'
  /** two updates in one JSON-RPC batch, which ACP does not have */
  | 'batch'
  /** a session/update whose update is null */
  | 'nullUpdate'
  /** `bytes` bytes (4,096) that are no UTF-8, then a line end */
  | 'binary'

/** One step of a script. Times are literal milliseconds; paths are inside the session's cwd. */
export type Step =
  /** One message in `chunks` (1) pieces, `delayMs` (0) apart; `anonymous` leaves the message id out. */
  | { do: 'say'; text: string; chunks?: number; delayMs?: number; anonymous?: boolean }
  | { do: 'think'; text: string; chunks?: number; delayMs?: number }
  | { do: 'plan'; entries: PlanEntry[] }
  /** A tool call that only shows; with status pending or in_progress it stays open for ever. */
  | {
      do: 'tool'
      tool?: string
      title: string
      kind: ToolKind
      input?: Record<string, unknown>
      output?: string
      status?: ToolStatus
    }
  | ({ do: 'ask' } & Ask)
  /** Two permission requests at the same time; the step ends when both have their answer. */
  | { do: 'askTwo'; asks: [Ask, Ask] }
  | { do: 'write'; path: string; content: string }
  | { do: 'read'; path: string }
  /** Runs a program without a shell and streams its output into the tool call. */
  | { do: 'run'; argv: string[] }
  | { do: 'wait'; ms: number }
  /** Waits until the file exists. */
  | { do: 'waitFile'; path: string }
  /** Waits for something that is said into the turn, and answers it. Anything else hears it when the next step begins. */
  | { do: 'listen' }
  /** One message in `count` chunks of `bytes` characters, as fast as stdout takes them; not kept for replay. */
  | { do: 'flood'; count: number; bytes: number }
  /** Messages "text 1", "text 2" ..., each a message of its own. */
  | { do: 'tick'; everyMs: number; count: number; text?: string }
  /** Never ends by itself. deaf: not by cancel either. stubborn: nor by SIGTERM or the end of stdin (for 60 s). */
  | { do: 'hang'; deaf?: boolean; stubborn?: boolean }
  /** Exit with `code` (1), or by `signal`. */
  | { do: 'die'; code?: number; signal?: DeathSignal }
  | { do: 'nonsense'; kind: NonsenseKind; bytes?: number }
  | { do: 'stderr'; text: string }
  /**
   * elicitation/create where the client offers forms; else the question is asked as text, the turn ends and the next
   * prompt is the answer, with which the steps after this one in the same list go on. `{{answer}}` in later says.
   */
  | {
      do: 'question'
      message: string
      schema: Record<string, unknown>
      record?: string
      onAccept?: Step[]
      onDecline?: Step[]
    }
  | { do: 'end'; stopReason: StopReason }
  /** The prompt is answered with this JSON-RPC error (-32603). */
  | { do: 'error'; message: string; code?: number }
  | { do: 'usage'; used: number; size: number; cost?: { amount: number; currency: string } }
  /** The agent changes its own mode; any id other than ask and auto-edit asks for nothing any more. */
  | { do: 'mode'; id: string }
  /** After the next load or resume the session is in this mode (auto-edit), whatever was set before. */
  | { do: 'forgetMode'; to?: string }
  /** Starts a program and leaves it behind; detached: in a process group of its own. */
  | { do: 'spawnChild'; argv: string[]; detached?: boolean; pidFile?: string }
  /** Writes the agent's own environment, names and values, as a JSON object. */
  | { do: 'env'; file: string }

/** How a script may let the agent die. */
export type DeathSignal = 'SIGKILL' | 'SIGTERM' | 'SIGSEGV' | 'SIGABRT' | 'SIGINT' | 'SIGHUP'

/** Packs steps into the text of a prompt; text around it is allowed, and several scripts play one after another. */
export function scriptPrompt(steps: readonly Step[]): string {
  return `SCRIPT:${JSON.stringify(steps)}:END`
}
