/**
 * What a model shall do, written by a test into the prompt that it sends to an agent. The server remembers nothing: the
 * script travels in the conversation, which the agent sends whole with every call. Step k answers the k-th call after the
 * message that holds the script, and how many calls there were is counted from the answers in the conversation itself. So
 * parallel sessions, a new process, a resumed session and a retry need no bookkeeping.
 */

/** What the model wants done, in the words of no agent; it becomes a call of whichever tool the agent offers. */
export type Intent =
  | { write: { path: string; text: string }; with?: Record<string, unknown> }
  | { edit: { path: string; from: string; to: string }; with?: Record<string, unknown> }
  | { run: string; with?: Record<string, unknown> }
  | { read: string; with?: Record<string, unknown> }
  /** Exactly this tool with exactly this input, offered or not. */
  | { tool: string; input: unknown }

/** One answer of the model. An empty step says "ok". */
export interface Step {
  /** Said before the text, where the interface has a place for it. */
  think?: string
  text?: string
  /** Pieces that the text comes in; 1 when absent. */
  pieces?: number
  /** Called together, in one answer. */
  calls?: readonly Intent[]
  /** Before anything of the answer comes. */
  delayMs?: number
  /** It never comes (`start`), or begins and never goes on (`middle`): until the agent hangs up. */
  hang?: 'start' | 'middle'
  /** The connection breaks before the answer (`start`) or in it (`middle`), as often as `times` says. */
  cut?: 'start' | 'middle'
  /** Refused with this HTTP status as often as `times` says, then answered. */
  status?: number
  /** How many tries of this step meet `cut` or `status`; 1 when absent. */
  times?: number
}

const begin = 'SCRIPT:'
const end = ':END'

/** A prompt with its script. Paths should be absolute: some agents take no others. The same words, the same tries. */
export function scripted(words: string, ...steps: readonly Step[]): string {
  return `${words}\n${begin}${JSON.stringify(steps)}${end}`
}

/** The script in a text; undefined where there is none, or none that can be read. */
export function readScript(text: string): { key: string; steps: readonly Step[] } | undefined {
  const from = text.lastIndexOf(`${begin}[`)
  const to = text.indexOf(`]${end}`, from)
  if (from < 0 || to < 0) return undefined
  const json = text.slice(from + begin.length, to + 1)
  try {
    return { key: text.slice(0, to), steps: JSON.parse(json) as Step[] }
  } catch {
    return undefined
  }
}
