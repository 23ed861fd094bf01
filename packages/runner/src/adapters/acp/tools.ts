import { type FileChange, StepKind, type StepOutcome } from '@hotline/protocol/events/turn'
import type { AgentEvent, Ask } from '../adapter.ts'
import type { ToolPatch } from './schema.ts'

/** Tool calls that are remembered; the oldest closed ones go first. */
const rememberedMax = 1_000

/** What is known of a tool call. */
export interface Tool {
  readonly step: string
  title: string
  kind: string
  name: string | undefined
  input: unknown
  changes: readonly FileChange[]
  locations: readonly string[] | undefined
  closed: boolean
  /** A person refused it: then its failure is no failure. */
  denied: boolean
}

/**
 * The agent's tool calls as steps. A tool call begins with whatever names it first: its announcement, an update, or a
 * request for permission (some agents announce nothing).
 */
export class Tools {
  readonly #tools = new Map<string, Tool>()
  readonly #emit: (event: AgentEvent) => void
  readonly #id: () => string

  /** `id` makes ids. */
  constructor(emit: (event: AgentEvent) => void, id: () => string) {
    this.#emit = emit
    this.#id = id
  }

  /** Some tool call has not come to its end. */
  get isAtWork(): boolean {
    return this.#tools.values().some(({ closed }) => !closed)
  }

  /** Takes what is new about a tool call. The words of a permission request are its reason, not the tool's output. */
  patch(patch: ToolPatch, from: 'update' | 'permission'): Tool {
    const known = this.#tools.get(patch.toolCallId)
    const { output, ...rest } = newsOf(patch)
    const news = from === 'update' ? { ...rest, output } : rest
    const tool = known ?? this.#begin(patch, news)
    if (known && !known.closed) this.#progress(known, patch, news)
    if (!tool.closed && (patch.status === 'completed' || patch.status === 'failed')) this.#finish(tool, patch, news)
    return tool
  }

  /** What is asked about a tool call, from all that is known of it. */
  describe(tool: Tool, patch: ToolPatch): Omit<Ask, 'ask' | 'verdicts' | 'scopes'> {
    const text = newsOf(patch).output
    // What it was before is the agent's word, and nobody allows that.
    const changes = tool.changes.map(({ path, newText, cameFrom, modes, binary, removed }) => {
      return { path, newText, cameFrom, modes, binary, removed }
    })
    return {
      step: tool.step,
      tool: tool.name ?? tool.kind,
      title: tool.title,
      input: inputText(tool, changes),
      ...(text === undefined ? {} : { reason: text }),
      ...(changes.length === 0 ? {} : { changes: tool.changes }),
    }
  }

  /** The agent is told no; some say nothing more about it afterwards. */
  deny(step: string): void {
    for (const tool of this.#tools.values()) if (tool.step === step) tool.denied = true
  }

  /** At the end of a turn nothing is left that looks as if it still ran. */
  closeAll(cancelled: 'cancelled' | 'ended'): void {
    for (const tool of this.#tools.values()) {
      if (tool.closed) continue
      tool.closed = true
      const outcome: StepOutcome = tool.denied ? 'denied' : 'cancelled'
      const untold = outcome === 'cancelled' && cancelled === 'ended'
      this.#emit({
        t: 'step_finished',
        step: tool.step,
        outcome,
        ...(untold ? { error: 'The turn ended before the agent said how this came out.' } : {}),
      })
    }
  }

  #begin(patch: ToolPatch, news: News): Tool {
    const tool: Tool = {
      step: this.#id(),
      title: patch.title ?? patch.name ?? 'Untitled',
      kind: patch.kind ?? 'other',
      name: patch.name ?? patch['_meta']?.claudeCode?.toolName ?? undefined,
      input: patch.rawInput,
      changes: news.changes ?? [],
      locations: news.locations,
      closed: false,
      denied: false,
    }
    this.#remember(patch.toolCallId, tool)
    const { locations, changes } = news
    this.#emit({
      t: 'step_started',
      step: tool.step,
      kind: StepKind.safeParse(tool.kind).data ?? 'other',
      title: tool.title,
      input: tool.input,
      locations,
      changes,
    })
    const finishing = patch.status === 'completed' || patch.status === 'failed'
    if (news.output !== undefined && !finishing) {
      this.#emit({ t: 'step_progressed', step: tool.step, output: news.output })
    }
    return tool
  }

  #progress(tool: Tool, patch: ToolPatch, { output, locations: told, changes }: News): void {
    const locations = told && !same(told, tool.locations) ? told : undefined
    tool.locations = locations ?? tool.locations
    const title = patch.title && patch.title !== tool.title ? patch.title : undefined
    const input = patch.rawInput === undefined || same(patch.rawInput, tool.input) ? undefined : patch.rawInput
    tool.title = title ?? tool.title
    tool.kind = patch.kind ?? tool.kind
    tool.name ??= patch.name ?? patch['_meta']?.claudeCode?.toolName ?? undefined
    tool.input = input ?? tool.input
    const newChanges = changes && !same(changes, tool.changes) ? changes : undefined
    tool.changes = newChanges ?? tool.changes
    const finishing = patch.status === 'completed' || patch.status === 'failed'
    if (title === undefined && input === undefined && locations === undefined && newChanges === undefined) {
      if (output === undefined || finishing) return
    }
    this.#emit({
      t: 'step_progressed',
      step: tool.step,
      title,
      input,
      locations,
      changes: newChanges,
      ...(finishing ? {} : { output }),
    })
  }

  #finish(tool: Tool, patch: ToolPatch, { output }: News): void {
    tool.closed = true
    const outcome: StepOutcome = patch.status === 'completed' ? 'done' : tool.denied ? 'denied' : 'failed'
    this.#emit({
      t: 'step_finished',
      step: tool.step,
      outcome,
      ...(outcome === 'failed' ? { error: output } : { output }),
    })
  }

  #remember(id: string, tool: Tool): void {
    this.#tools.set(id, tool)
    if (this.#tools.size <= rememberedMax) return
    for (const [old, { closed }] of this.#tools) {
      if (closed || this.#tools.size > 2 * rememberedMax) {
        this.#tools.delete(old)
        return
      }
    }
  }
}

interface News {
  output?: string | undefined
  locations?: readonly string[] | undefined
  changes?: readonly FileChange[] | undefined
}

function newsOf(patch: ToolPatch): News {
  const texts: string[] = []
  const changes: FileChange[] = []
  for (const part of patch.content ?? []) {
    if ('content' in part && typeof part.content.text === 'string') texts.push(part.content.text)
    if ('newText' in part) {
      const { path, oldText, newText, partial, cameFrom, modes, binary, removed } = part
      changes.push({
        path,
        oldText: oldText ?? null,
        newText,
        ...(partial ? { partial } : {}),
        ...(cameFrom ? { cameFrom } : {}),
        ...(modes ? { modes } : {}),
        ...(binary ? { binary } : {}),
        ...(removed ? { removed } : {}),
      })
    }
  }
  const raw = patch.rawOutput
  const output = texts.length > 0 ? texts.join('\n') : raw === undefined || raw === null ? undefined : asText(raw)
  const locations = patch.locations?.map(({ path }) => path)
  return {
    output,
    locations: locations && locations.length > 0 ? locations : undefined,
    changes: changes.length > 0 ? changes : undefined,
  }
}

/** The exact arguments; where the agent shows none, everything else that it says about what it would do. */
function inputText(tool: Tool, changes: readonly { path: string; newText: string }[]): string {
  if (tool.input !== undefined && tool.input !== null && !same(tool.input, {})) return asText(tool.input)
  return asText({ title: tool.title, kind: tool.kind, ...(changes.length > 0 ? { changes } : {}) })
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value, null, 2)
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
