import type { FileChange, StepOutcome } from '@hotline/protocol/events/turn'
import type { AgentEvent } from '../adapter.ts'
import type { Block } from './schema.ts'
import { changesMade, changesOf, kindOf, locationsOf, titleOf } from './tool-words.ts'

/** Calls that are remembered; the oldest closed ones go first. */
const rememberedMax = 1_000

/** Calls that are shown in another form: as a question to people. */
const unshown: ReadonlySet<string> = new Set(['AskUserQuestion'])

/** A call of a tool. */
export interface Tool {
  readonly step: string
  readonly name: string
  readonly input: unknown
  /** The call of the sub-agent that makes it; absent for the agent itself. */
  readonly parent: string | undefined
  changes: readonly FileChange[]
  isClosed: boolean
  isDenied: boolean
}

/** A call that begins. */
export interface Call {
  id: string
  name: string
  input: unknown
  /** The agent's id of the call whose sub-agent makes this one. */
  parent?: string | undefined
}

/** The agent's calls of tools as steps. One begins with whatever names it first: the model's words, or a request for permission. */
export class Tools {
  readonly #tools = new Map<string, Tool>()
  readonly #emit: (event: AgentEvent) => void
  readonly #id: () => string

  /** `id` makes ids. */
  constructor(emit: (event: AgentEvent) => void, id: () => string) {
    this.#emit = emit
    this.#id = id
  }

  /** The call, which begins now if it was not known. */
  begin({ id, name, input, parent }: Call): Tool {
    const known = this.#tools.get(id)
    if (known) return known
    const changes = changesOf(name, input)
    const above = parent === undefined ? undefined : this.#tools.get(parent)?.step
    const tool: Tool = {
      step: this.#id(),
      name,
      input,
      parent,
      changes,
      isClosed: unshown.has(name),
      isDenied: false,
    }
    this.#remember(id, tool)
    if (unshown.has(name)) return tool
    this.#emit({
      t: 'step_started',
      step: tool.step,
      kind: kindOf(name),
      title: titleOf(name, input),
      input,
      ...(above === undefined ? {} : { parent: above }),
      locations: locationsOf(input),
      ...(changes.length > 0 ? { changes } : {}),
    })
    return tool
  }

  /** A person lets it run with another input. */
  modified(step: string, input: unknown): void {
    const tool = this.#byStep(step)
    if (!tool || tool.isClosed) return
    tool.changes = changesOf(tool.name, input)
    this.#emit({ t: 'step_progressed', step, input, ...(tool.changes.length > 0 ? { changes: tool.changes } : {}) })
  }

  /** The agent's own id of a call. */
  idOf(step: string): string | undefined {
    for (const [id, tool] of this.#tools) if (tool.step === step) return id
    return undefined
  }

  /** A person refused it: then its failure is no failure. */
  denied(step: string): void {
    const tool = this.#byStep(step)
    if (tool) tool.isDenied = true
  }

  /** How a call came out. */
  finish(block: Block, told: { isRejected: boolean; result: unknown }): void {
    const tool = this.#tools.get(block.tool_use_id ?? '')
    if (!tool || tool.isClosed) return
    tool.isClosed = true
    const output = outputOf(block.content)
    const outcome: StepOutcome =
      tool.isDenied || told.isRejected ? 'denied' : block.is_error === true ? 'failed' : 'done'
    const changes = outcome === 'done' ? changesMade(told.result) : undefined
    this.#emit({
      t: 'step_finished',
      step: tool.step,
      outcome,
      ...(outcome === 'failed' ? { error: output } : { output }),
      ...(changes ? { changes } : {}),
    })
  }

  /**
   * At the end of a turn nothing is left that looks as if it still ran. What sub-agents do beside the conversation goes on,
   * unless it was stopped with the turn.
   */
  closeAll(how: 'cancelled' | 'ended'): void {
    for (const tool of this.#tools.values()) {
      if (!tool.isClosed && (tool.parent === undefined || how === 'cancelled')) this.#close(tool, how)
    }
  }

  /** A sub-agent has ended: what it still seemed to do is over. `id`: of the call that made it. */
  closeOf(id: string): void {
    for (const tool of this.#tools.values()) if (!tool.isClosed && tool.parent === id) this.#close(tool, 'ended')
  }

  #close(tool: Tool, how: 'cancelled' | 'ended'): void {
    tool.isClosed = true
    const isUntold = how === 'ended' && !tool.isDenied
    this.#emit({
      t: 'step_finished',
      step: tool.step,
      outcome: tool.isDenied ? 'denied' : 'cancelled',
      ...(isUntold ? { error: 'It ended before the agent said how this came out.' } : {}),
    })
  }

  #byStep(step: string): Tool | undefined {
    for (const tool of this.#tools.values()) if (tool.step === step) return tool
    return undefined
  }

  #remember(id: string, tool: Tool): void {
    this.#tools.set(id, tool)
    if (this.#tools.size <= rememberedMax) return
    for (const [old, { isClosed }] of this.#tools) {
      if (isClosed || this.#tools.size > 2 * rememberedMax) {
        this.#tools.delete(old)
        return
      }
    }
  }
}

function outputOf(content: unknown): string | undefined {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return undefined
  const parts = content.map((part: unknown) => {
    const { type, text } = (typeof part === 'object' && part !== null ? part : {}) as Record<string, unknown>
    return typeof text === 'string' ? text : `[${typeof type === 'string' ? type.slice(0, 50) : 'something'}]`
  })
  return parts.join('\n')
}
