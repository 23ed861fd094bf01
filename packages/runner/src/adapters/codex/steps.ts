import type { FileChange, StepKind, StepOutcome } from '@hotline/protocol/events/turn'
import type { AgentEvent } from '../adapter.ts'
import { fileChanges, titleOf } from './patch.ts'
import type { Change, Item } from './schema.ts'

/** Steps that are remembered; the oldest closed ones go first. */
const rememberedMax = 1_000

/** Characters of what a command printed that are kept: its end says more than its beginning. */
const outputChars = 32 * 1024

/** Items that are steps. */
export type StepItem = Extract<
  Item,
  { type: 'commandExecution' | 'fileChange' | 'mcpToolCall' | 'webSearch' | 'imageView' | 'collabAgentToolCall' }
>

/** What is known of a step. */
export interface Step {
  readonly step: string
  /** The turn of ours in which it began. */
  readonly turn: string | undefined
  title: string
  /** The changes as they came: the bytes that an approval shows. */
  changes: readonly Change[]
  output: string
  /** A command: codex may leave it running behind its turn. */
  readonly isCommand: boolean
  /** Nothing but the answer of a person ends it. */
  readonly isOwn: boolean
  isClosed: boolean
  /** A person refused it. */
  isDenied: boolean
  /** The person stopped its turn. */
  isStopped: boolean
}

/** How a step is shown when it begins. */
interface Shown {
  kind: StepKind
  title: string
  input?: unknown
  locations?: readonly string[] | undefined
  changes?: readonly FileChange[] | undefined
}

/** The things that codex does, as steps, by codex's own names for them. */
export class Steps {
  readonly #steps = new Map<string, Step>()
  readonly #emit: (event: AgentEvent) => void
  readonly #id: () => string
  readonly #cwd: string
  readonly #turn: () => string | undefined

  /** `id` makes ids. */
  constructor(emit: (event: AgentEvent) => void, cwd: string, turn: () => string | undefined, id: () => string) {
    this.#emit = emit
    this.#id = id
    this.#cwd = cwd
    this.#turn = turn
  }

  known(item: string): Step | undefined {
    return this.#steps.get(item)
  }

  /** item/started. */
  started(item: StepItem): void {
    const known = this.#steps.get(item.id)
    if (!known) this.#begin(item.id, shownOf(item, this.#cwd), { of: item })
    else if (item.type === 'fileChange') this.changed(item.id, item.changes)
  }

  /** What is asked for: a step that is known, or one that was not announced. `by`: what ends it. */
  asked(item: string, shown: Shown, by: 'item' | 'answer'): Step {
    return this.#steps.get(item) ?? this.#begin(item, shown, { isOwn: by === 'answer' })
  }

  /** The changes of a patch are known, or others now. */
  changed(item: string, changes: readonly Change[]): void {
    const step = this.#steps.get(item)
    if (!step || step.isClosed || JSON.stringify(changes) === JSON.stringify(step.changes)) return
    step.changes = changes
    step.title = titleOf(changes, this.#cwd)
    this.#emit({ t: 'step_progressed', step: step.step, title: step.title, changes: fileChanges(changes) })
  }

  /** It printed. */
  printed(item: string, delta: string): void {
    const step = this.#steps.get(item)
    if (!step || step.isClosed) return
    step.output = tail(step.output + delta)
    this.#emit({ t: 'step_progressed', step: step.step, output: step.output })
  }

  /** item/completed. */
  completed(item: StepItem): void {
    const step = this.#steps.get(item.id) ?? this.#begin(item.id, shownOf(item, this.#cwd), { of: item })
    if (step.isClosed) return
    if (item.type === 'fileChange') this.changed(item.id, item.changes)
    const { title } = shownOf(item, this.#cwd)
    if (title !== step.title) this.#emit({ t: 'step_progressed', step: step.step, title })
    const isFine = item.type === 'webSearch' || item.type === 'imageView' || item.status === 'completed'
    const outcome: StepOutcome = isFine
      ? 'done'
      : step.isStopped
        ? 'cancelled'
        : step.isDenied || item.status === 'declined'
          ? 'denied'
          : 'failed'
    const { output, error } = endOf(item, step)
    this.#close(step, outcome, output, outcome === 'failed' ? error : undefined)
  }

  /** A person said no. */
  deny(step: string): void {
    for (const known of this.#steps.values()) if (known.step === step) known.isDenied = true
  }

  /** What nothing else is told about is over with its answer. */
  answered(step: string, outcome: StepOutcome): void {
    for (const known of this.#steps.values()) {
      if (known.step === step && known.isOwn && !known.isClosed) this.#close(known, outcome)
    }
  }

  /** The person stopped the turn: whatever ends from now on was stopped. */
  stopping(turn: string): void {
    for (const step of this.#steps.values()) if (step.turn === turn && !step.isClosed) step.isStopped = true
  }

  /** True where codex's own name belongs to a step of this turn. */
  isOf(item: string, turn: string): boolean {
    return this.#steps.get(item)?.turn === turn
  }

  /** The turn is over. `left`: what may still run behind it. */
  turnEnded(turn: string, left: 'commands' | 'nothing'): void {
    for (const step of this.#steps.values()) {
      if (step.turn !== turn || step.isClosed || (left === 'commands' && step.isCommand && !step.isDenied)) continue
      this.#close(step, step.isDenied ? 'denied' : 'cancelled')
    }
  }

  #begin(item: string, shown: Shown, { of, isOwn = false }: { of?: StepItem; isOwn?: boolean }): Step {
    const step: Step = {
      step: this.#id(),
      turn: this.#turn(),
      title: shown.title,
      changes: of?.type === 'fileChange' ? of.changes : [],
      output: '',
      isCommand: of?.type === 'commandExecution',
      isOwn,
      isClosed: false,
      isDenied: false,
      isStopped: false,
    }
    this.#remember(item, step)
    this.#emit({ t: 'step_started', step: step.step, ...shown })
    return step
  }

  #close(step: Step, outcome: StepOutcome, output?: string, error?: string): void {
    step.isClosed = true
    step.changes = []
    step.output = ''
    this.#emit({ t: 'step_finished', step: step.step, outcome, output, error })
  }

  #remember(item: string, step: Step): void {
    this.#steps.set(item, step)
    if (this.#steps.size <= rememberedMax) return
    for (const [old, { isClosed }] of this.#steps) {
      if (isClosed || this.#steps.size > 2 * rememberedMax) {
        this.#steps.delete(old)
        return
      }
    }
  }
}

/** The command without the shell that codex puts around it, where it says what that is. */
export function commandTitle(command: string, actions: readonly { command?: string | null | undefined }[]): string {
  const [only] = actions
  return actions.length === 1 && only?.command ? only.command : command
}

function shownOf(item: StepItem, folder: string): Shown {
  switch (item.type) {
    case 'commandExecution': {
      const { command, cwd, commandActions } = item
      const kinds = new Set(commandActions.map(({ type }) => type))
      const isReading = kinds.size === 1 && (kinds.has('read') || kinds.has('search') || kinds.has('listFiles'))
      const kind = !isReading ? 'execute' : kinds.has('read') ? 'read' : 'search'
      return { kind, title: commandTitle(command, commandActions), input: { command, ...(cwd ? { cwd } : {}) } }
    }
    case 'fileChange': {
      const { changes } = item
      const isDeleting = changes.length > 0 && changes.every(({ kind }) => kind.type === 'delete')
      const isMoving = changes.length > 0 && changes.every(({ kind }) => kind.move_path)
      return {
        kind: isDeleting ? 'delete' : isMoving ? 'move' : 'edit',
        title: titleOf(changes, folder),
        locations: changes.map(({ path }) => path),
        changes: fileChanges(changes),
      }
    }
    case 'mcpToolCall':
      return { kind: 'other', title: `${item.server}: ${item.tool}`, input: item.arguments }
    case 'webSearch':
      return { kind: 'search', title: item.query === '' ? 'Search the web' : `Search the web: ${item.query}` }
    case 'imageView':
      return { kind: 'read', title: `Look at ${item.path}`, locations: [item.path] }
    case 'collabAgentToolCall':
      return { kind: 'other', title: `Another agent: ${item.tool}`, input: item.prompt ?? undefined }
  }
}

function endOf(item: StepItem, step: Step): { output?: string; error?: string } {
  if (item.type === 'commandExecution') {
    const printed = item.aggregatedOutput ?? step.output
    const output = printed === '' ? undefined : tail(printed)
    const code = item.exitCode ?? undefined
    return {
      ...(output === undefined ? {} : { output }),
      error: code === undefined ? 'It failed.' : `Exit code ${code}.`,
    }
  }
  if (item.type === 'mcpToolCall') {
    const { result, error } = item
    return {
      ...(result ? { output: tail(JSON.stringify(result.content, null, 2)) } : {}),
      error: error?.message ?? 'It failed.',
    }
  }
  return { error: 'It failed.' }
}

function tail(text: string): string {
  return text.length <= outputChars ? text : text.slice(-outputChars)
}
