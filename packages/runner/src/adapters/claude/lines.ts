import type { z } from 'zod'
import type { Usage } from '@hotline/core/session/state'
import type { AgentEvent } from '../adapter.ts'
import type { Breaker } from '../wire/breaker.ts'
import { Costs } from './costs.ts'
import { endingOf } from './endings.ts'
import type { Modes } from './modes.ts'
import {
  ApiRetry,
  AssistantLine,
  CommandLifecycle,
  quietLines,
  quietSystem,
  ResultLine,
  StreamLine,
  SystemInit,
  SystemStatus,
  TaskNotification,
  UserLine,
} from './schema.ts'
import type { Tools } from './tools.ts'
import type { Turns } from './turns.ts'
import { Words } from './words.ts'

/** What lines are turned into, besides events. */
export interface LinePorts {
  breaker: Breaker
  modes: Modes
  tools: Tools
  turns: Turns
  /** Of earlier processes of the session. */
  usedBefore: Usage | undefined
  emit: (event: AgentEvent) => void
  /** The turn can be interrupted from now on. */
  isUnderWay: () => void
  /** The agent's own name for the conversation. */
  isNative: (id: string) => void
  /** Makes ids. */
  id: () => string
}

/** What the agent tells: lines that ask nothing of us. */
export class Lines {
  readonly #ports: LinePorts
  readonly #words: Words
  readonly #costs: Costs
  #usage: ReturnType<Costs['told']>
  #model: string | undefined

  constructor(ports: LinePorts) {
    this.#ports = ports
    this.#words = new Words(ports.emit, ports.id)
    this.#costs = new Costs(ports.usedBefore)
  }

  get model(): string | undefined {
    return this.#model
  }

  /** As it was told last. */
  get usage(): ReturnType<Costs['told']> {
    return this.#usage
  }

  /** Whatever comes next begins a new message. */
  breakText(): void {
    this.#words.break()
  }

  /** Takes a line of any other type than those of requests. */
  take(line: Record<string, unknown>): void {
    const { turns } = this.#ports
    const { type } = line
    switch (type) {
      case 'system':
        return this.#system(line)
      case 'stream_event':
        return this.#read(StreamLine, line, (stream) => {
          if (!stream.parent_tool_use_id) this.#words.piece(stream)
        })
      case 'assistant':
        return this.#read(AssistantLine, line, (said) => this.#assistant(said))
      case 'user':
        return this.#read(UserLine, line, (said) => this.#user(said))
      case 'result':
        return this.#read(ResultLine, line, (result) => {
          this.#usage = this.#costs.told(result) ?? this.#usage
          turns.result(endingOf(result))
        })
      case 'command_lifecycle':
        return this.#read(CommandLifecycle, line, ({ command_uuid: uuid, state }) => turns.lifecycle(uuid, state))
      default:
        if (typeof type !== 'string') this.#ports.breaker.count('line without a type', 'broken')
        else if (!quietLines.has(type)) this.#ports.breaker.count('unknown line', 'odd')
    }
  }

  #system(line: Record<string, unknown>): void {
    const { breaker, emit, isNative, isUnderWay, modes, tools, turns } = this.#ports
    const { subtype } = line
    switch (subtype) {
      case 'init':
        return this.#read(SystemInit, line, ({ session_id: native, permissionMode: mode, model }) => {
          if (native) isNative(native)
          if (model && model !== this.#model) {
            this.#model = model
            emit({ t: 'profile', model })
          }
          modes.told(mode)
          turns.started()
          isUnderWay()
        })
      case 'status':
        return this.#read(SystemStatus, line, ({ status, permissionMode: mode }) => {
          modes.told(mode)
          if (status === 'compacting') this.#log('The agent shortens its conversation.')
        })
      case 'api_retry':
        return this.#read(ApiRetry, line, (retry) => this.#log(retryText(retry)))
      case 'compact_boundary':
        return this.#log('The agent goes on with a shortened conversation.')
      case 'task_notification':
        return this.#read(TaskNotification, line, ({ tool_use_id: call, status, summary }) => {
          if (call) tools.closeOf(call)
          if (summary) this.#log(`In the background: ${summary.slice(0, 500)}${status ? ` (${status})` : ''}`)
        })
      default:
        if (typeof subtype !== 'string' || !quietSystem.has(subtype)) breaker.count('unknown system line', 'odd')
    }
  }

  #assistant({ message, parent_tool_use_id: parent, error, is_api_error_message: isError }: AssistantLine): void {
    const { tools } = this.#ports
    // A failure of the model stands in the form of an answer; it is told with the end of the turn.
    const isFailure = message.model === '<synthetic>' && (isError === true || Boolean(error))
    if (!parent) this.#costs.read(message)
    for (const block of message.content) {
      if (block.type === 'tool_use' && block.id && block.name) {
        this.#words.break()
        tools.begin({ id: block.id, name: block.name, input: block.input ?? {}, parent: parent ?? undefined })
      }
      // What a sub-agent says to itself comes out in the result of its call.
      if ((block.type === 'text' || block.type === 'thinking') && !parent && !isFailure) {
        this.#words.whole(message.id, block)
      }
    }
  }

  #user({ message, tool_use_result: result, tool_result_meta: meta }: z.infer<typeof UserLine>): void {
    if (typeof message.content === 'string') return
    for (const block of message.content) {
      if (block.type !== 'tool_result') continue
      const decision = meta?.find(({ id }) => id === block.tool_use_id)?.permission_decision?.decision
      this.#words.break()
      this.#ports.tools.finish(block, { isRejected: decision === 'reject', result })
    }
  }

  #log(text: string): void {
    this.#ports.emit({ t: 'output', source: 'log', text: `${text}\n`, bytes: text.length + 1 })
  }

  #read<T extends z.ZodType>(schema: T, line: unknown, take: (value: z.output<T>) => void): void {
    const parsed = schema.safeParse(line)
    if (parsed.success) take(parsed.data)
    else this.#ports.breaker.count('line that cannot be read', 'broken')
  }
}

function retryText({
  attempt,
  max_retries: most,
  retry_delay_ms: delayMs,
  error_status: status,
  error,
}: z.infer<typeof ApiRetry>): string {
  const why = [status, error].filter((part) => part !== undefined && part !== null && part !== '').join(' ')
  const when = delayMs === undefined || delayMs === null ? '' : ` in ${(delayMs / 1_000).toFixed(1)} s`
  const of = attempt === undefined || attempt === null ? '' : ` (${attempt}${most ? ` of ${most}` : ''})`
  return `The model did not answer${why === '' ? '' : `: ${why}`}. It is asked again${when}${of}.`
}
