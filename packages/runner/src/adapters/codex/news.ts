import type { z } from 'zod'
import type { AgentEvent } from '../adapter.ts'
import type { UsedSoFar } from '../used-so-far.ts'
import type { Breaker } from '../wire/breaker.ts'
import type { ModeKeeper } from './mode-keeper.ts'
import {
  Delta,
  DiffUpdated,
  ErrorNews,
  Item,
  ItemNews,
  PatchUpdated,
  PlanUpdated,
  Rerouted,
  SettingsUpdated,
  TokenUsage,
  Warning,
} from './schema.ts'
import type { Steps } from './steps.ts'
import type { Texts } from './texts.ts'

/** Entries of a plan that are kept, and characters of each. */
const planEntriesMax = 200
const planTextChars = 2_000

/** Characters of a note of codex's own. */
const noteChars = 2_000

/** What notifications are turned into. */
export interface NewsSink {
  readonly emit: (event: AgentEvent) => void
  /** True for the thread that is ours; other ones belong to agents that ours has started. */
  readonly isOurs: (thread: string) => boolean
  /** A model is asked what only a person may answer. */
  readonly judged: () => void
  /** The git patch of a turn of codex's, whole. */
  readonly diff: (turn: string, patch: string) => void
  readonly steps: Steps
  readonly texts: Texts
  readonly modes: ModeKeeper
  readonly breaker: Breaker
  readonly used: UsedSoFar
}

/** Names that mean nothing to a person here: of accounts, plugins, voices, and echoes of what we did ourselves. */
const quiet =
  /^(account|app|command|externalAgentConfig|fs|fuzzyFileSearch|hook|mcpServer|model|modelProvider|process|project|rawResponse|rawResponseItem|remoteControl|skills|thread|turn|windows|windowsSandbox)\/|^item\/(autoApprovalReview\/completed|commandExecution\/terminalInteraction|fileChange\/outputDelta|mcpToolCall\/progress|plan\/delta|reasoning\/summaryPartAdded)/

/**
 * Turns notifications into events. Of agents that codex starts itself the steps are shown, for people are asked about
 * them; what these say among themselves is not.
 */
export class News {
  readonly #sink: NewsSink
  /** What was noted last: codex repeats itself while it waits for a network. */
  #lastNote = ''

  constructor(sink: NewsSink) {
    this.#sink = sink
  }

  /** Answers false where the method is not known. */
  handle(method: string, params: unknown): boolean {
    const { emit, steps, texts, modes, used } = this.#sink
    switch (method) {
      case 'item/started':
      case 'item/completed':
        return this.#read(ItemNews, params, (news) => this.#item(method === 'item/completed', news))
      case 'item/agentMessage/delta':
        return this.#ours(Delta, params, ({ itemId, delta }) => texts.piece('agent', itemId, '', delta))
      case 'item/reasoning/summaryTextDelta':
        return this.#ours(Delta, params, ({ itemId, summaryIndex, delta }) =>
          texts.piece('thought', itemId, `summary ${summaryIndex ?? 0}`, delta),
        )
      case 'item/reasoning/textDelta':
        return this.#ours(Delta, params, ({ itemId, contentIndex, delta }) =>
          texts.piece('thought', itemId, `content ${contentIndex ?? 0}`, delta),
        )
      case 'item/commandExecution/outputDelta':
        return this.#read(Delta, params, ({ itemId, delta }) => steps.printed(itemId, delta))
      case 'item/fileChange/patchUpdated':
        return this.#read(PatchUpdated, params, ({ itemId, changes }) => steps.changed(itemId, changes))
      case 'turn/diff/updated':
        return this.#ours(DiffUpdated, params, ({ turnId, diff }) => this.#sink.diff(turnId, diff))
      case 'turn/plan/updated':
        return this.#ours(PlanUpdated, params, ({ plan }) =>
          emit({
            t: 'plan',
            entries: plan.slice(0, planEntriesMax).map(({ step, status }) => ({
              text: step.slice(0, planTextChars),
              status: status === 'inProgress' ? 'in_progress' : status,
            })),
          }),
        )
      case 'thread/tokenUsage/updated':
        return this.#ours(TokenUsage, params, ({ tokenUsage: { total, last, modelContextWindow } }) =>
          emit({
            t: 'usage',
            ...used.tokens(total),
            contextUsed: last.totalTokens,
            contextSize: modelContextWindow ?? undefined,
          }),
        )
      case 'thread/settings/updated':
        return this.#ours(SettingsUpdated, params, ({ threadSettings }) =>
          modes.updated(threadSettings, threadSettings.model ?? undefined),
        )
      case 'model/rerouted':
        return this.#ours(Rerouted, params, ({ toModel }) => modes.rerouted(toModel))
      case 'error':
        return this.#ours(ErrorNews, params, ({ error, willRetry }) => {
          // One that ends the turn is told with its end.
          if (willRetry) this.#note([error.message, error.additionalDetails])
        })
      case 'warning':
      case 'guardianWarning':
      case 'configWarning':
      case 'deprecationNotice':
        return this.#read(Warning, params, ({ message, summary, details }) => this.#note([message, summary, details]))
      case 'item/autoApprovalReview/started':
      case 'autoApprovalReview/strictReviewRequired':
        this.#sink.judged()
        return true
      default:
        return quiet.test(method)
    }
  }

  #item(isCompleted: boolean, { threadId, item: told }: z.infer<typeof ItemNews>): void {
    this.#lastNote = ''
    const { steps, texts, breaker, isOurs } = this.#sink
    const parsed = Item.safeParse(told)
    if (!parsed.success) {
      const isKnown = Item.options.some(({ shape }) => shape.type.value === told.type)
      if (isKnown) breaker.count('item that cannot be read', 'broken')
      return
    }
    const item = parsed.data
    switch (item.type) {
      case 'userMessage':
        // What codex has of us, in its place: what comes after it is said knowing it.
        if (isCompleted && isOurs(threadId) && item.clientId) this.#sink.emit({ t: 'heard', message: item.clientId })
        return
      case 'agentMessage':
      case 'plan':
        if (isCompleted && isOurs(threadId)) texts.whole('agent', item.id, '', item.text)
        return
      case 'reasoning':
        if (!isCompleted || !isOurs(threadId)) return
        for (const [at, text] of item.summary.entries()) texts.whole('thought', item.id, `summary ${at}`, text)
        for (const [at, text] of item.content.entries()) texts.whole('thought', item.id, `content ${at}`, text)
        return
      case 'contextCompaction':
        if (isCompleted && isOurs(threadId)) this.#note(['The agent has shortened what it remembers of this session.'])
        return
      case 'subAgentActivity':
        if (isCompleted) this.#note([`Another agent at work here, "${item.agentPath}"`, item.kind])
        return
      case 'commandExecution':
      case 'fileChange':
      case 'mcpToolCall':
      case 'webSearch':
      case 'imageView':
      case 'collabAgentToolCall':
        return isCompleted ? steps.completed(item) : steps.started(item)
    }
  }

  #note(parts: readonly (string | null | undefined)[]): void {
    const text = `${parts
      .filter((part) => part)
      .join(': ')
      .slice(0, noteChars)}\n`
    if (text === '\n' || text === this.#lastNote) return
    this.#lastNote = text
    this.#sink.emit({ t: 'output', source: 'log', text, bytes: Buffer.byteLength(text) })
  }

  #read<T extends z.ZodType>(schema: T, params: unknown, take: (news: z.output<T>) => void): true {
    const parsed = schema.safeParse(params)
    if (parsed.success) take(parsed.data)
    else this.#sink.breaker.count('notification that cannot be read', 'broken')
    return true
  }

  /** The same for what only our own thread is heard about. */
  #ours<T extends z.ZodType<{ threadId: string }>>(
    schema: T,
    params: unknown,
    take: (news: z.output<T>) => void,
  ): true {
    return this.#read(schema, params, (news) => {
      if (this.#sink.isOurs(news.threadId)) take(news)
    })
  }
}
