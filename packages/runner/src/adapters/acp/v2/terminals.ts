/** Bytes of one terminal that are kept: its end is what people want to see. */
const keptBytes = 256 * 1024
/** Terminals that are remembered; the oldest go first. */
const rememberedMax = 200

interface Terminal {
  toolCallId: string | undefined
  bytes: Buffer
  /** How long it was when it was last shown. */
  shownBytes: number
}

/**
 * What the commands of an agent print. A step shows its output whole, so an output that comes in many chunks is shown again
 * only when it has doubled, and at the end: what is sent grows with the output, and not with its square.
 */
export class Terminals {
  readonly #terminals = new Map<string, Terminal>()

  /** The tool call shows this terminal. */
  belongs(terminalId: string, toolCallId: string): void {
    this.#of(terminalId).toolCallId = toolCallId
  }

  /** Answers which tool call has to be shown again. */
  wrote(terminalId: string, base64: string, how: 'append' | 'replace'): string | undefined {
    const terminal = this.#of(terminalId)
    const bytes = Buffer.from(base64, 'base64')
    terminal.bytes = (how === 'replace' ? bytes : Buffer.concat([terminal.bytes, bytes])).subarray(-keptBytes)
    if (how === 'append' && terminal.bytes.length < 2 * terminal.shownBytes) return undefined
    return terminal.toolCallId
  }

  /** What it printed, as text; from now on it counts as shown. */
  show(terminalId: string): string {
    const terminal = this.#of(terminalId)
    terminal.shownBytes = terminal.bytes.length
    return terminal.bytes.toString('utf8')
  }

  #of(terminalId: string): Terminal {
    const known = this.#terminals.get(terminalId)
    if (known) return known
    const terminal: Terminal = { toolCallId: undefined, bytes: Buffer.alloc(0), shownBytes: 0 }
    this.#terminals.set(terminalId, terminal)
    const [oldest] = this.#terminals.keys()
    if (this.#terminals.size > rememberedMax && oldest !== undefined) this.#terminals.delete(oldest)
    return terminal
  }
}
