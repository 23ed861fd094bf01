import type { AgentEvent } from '../adapter.ts'
import type { Breaker } from '../wire/breaker.ts'
import type { Asks } from './asks.ts'
import type { Control } from './control.ts'
import type { Notes } from './notes.ts'
import { planOf } from './plans.ts'
import { CancelRequest, CanUseTool, ControlRequest, Elicitation, HookCallback } from './schema.ts'
import { changesOf, titleOf } from './tool-words.ts'
import type { Tools } from './tools.ts'

/** What requests of the agent are turned into, and what they need to know. */
export interface RequestPorts {
  control: Control
  breaker: Breaker
  asks: Asks
  tools: Tools
  notes: Notes
  emit: (event: AgentEvent) => void
  isCancelling: () => boolean
}

/** What the agent asks of us: permissions, questions, and what our hooks say. */
export class Requests {
  readonly #ports: RequestPorts

  constructor(ports: RequestPorts) {
    this.#ports = ports
  }

  /** Takes a line of the type `control_request`. One that nobody here knows is refused, so that the agent does not wait. */
  asked(line: unknown): void {
    const { breaker, control } = this.#ports
    const parsed = ControlRequest.safeParse(line)
    if (!parsed.success) return breaker.count('request that cannot be read', 'broken')
    const { request_id: id, request } = parsed.data
    switch (request.subtype) {
      case 'can_use_tool':
        return this.#permission(id, request)
      case 'hook_callback':
        return this.#hook(id, request)
      case 'elicitation':
        return this.#elicitation(id, request)
      default:
        breaker.count('unknown request', 'odd')
        return control.refuse(id, `This client does not know "${request.subtype.slice(0, 200)}".`)
    }
  }

  /** Takes a line of the type `control_cancel_request`. */
  withdrawn(line: unknown): void {
    const { asks, emit, isCancelling, breaker } = this.#ports
    const parsed = CancelRequest.safeParse(line)
    if (!parsed.success) return breaker.count('withdrawal that cannot be read', 'broken')
    const taken = asks.withdraw(parsed.data.request_id)
    const reason = isCancelling() ? 'turn_ended' : 'agent_withdrew'
    if (taken && 'ask' in taken) emit({ t: 'ask_closed', ask: taken.ask, reason })
    if (taken && 'question' in taken) emit({ t: 'question_closed', question: taken.question, reason })
  }

  #permission(id: string, request: unknown): void {
    const { asks, breaker, control, emit, isCancelling, tools } = this.#ports
    const parsed = CanUseTool.safeParse(request)
    if (!parsed.success) {
      breaker.count('permission request that cannot be read', 'broken')
      return control.refuse(id, 'This permission request cannot be read.')
    }
    if (!asks.isNew(id)) return breaker.count('request that was there before', 'broken')
    if (isCancelling()) return asks.turnDown(id, 'The person stopped this turn.')
    if (asks.isFull) return asks.turnDown(id, 'Too much is asked at once.')
    const { data } = parsed
    const tool = tools.begin({ id: data.tool_use_id, name: data.tool_name, input: data.input })
    if (data.tool_name === 'AskUserQuestion') {
      const question = asks.openQuestion(id, data.input)
      if (question) return emit({ t: 'question', ...question })
      breaker.count('question that cannot be read', 'broken')
      return asks.turnDown(id, 'This question cannot be shown.')
    }
    const plan = planOf(data, tool.input)
    const changes = changesOf(data.tool_name, data.input)
    emit({
      t: 'ask',
      ask: {
        step: tool.step,
        tool: data.tool_name,
        title: plan ? 'Go ahead with this plan' : titleOf(data.tool_name, data.input),
        input: plan?.text ?? JSON.stringify(data.input, null, 2),
        reason: reasonOf(data, plan?.wished ?? []),
        ...(plan ? { plan: true } : {}),
        ...(changes.length > 0 ? { changes } : {}),
        ...asks.open(id, tool.step, plan ? { ...data, input: plan.input } : data, plan ? 'plan' : 'tool'),
      },
    })
  }

  /** Our hook hears how each tool came out; only where a person changed its input is there something to say. */
  #hook(id: string, request: unknown): void {
    const { breaker, control, notes } = this.#ports
    const parsed = HookCallback.safeParse(request)
    if (!parsed.success) {
      breaker.count('hook that cannot be read', 'broken')
      return control.respond(id, {})
    }
    const { tool_use_id: call, input } = parsed.data
    const note = notes.take(call ?? input.tool_use_id ?? '')
    const hookSpecificOutput = { hookEventName: input.hook_event_name, additionalContext: note }
    control.respond(id, note === undefined ? {} : { hookSpecificOutput })
  }

  #elicitation(id: string, request: unknown): void {
    const { asks, breaker, control, emit, isCancelling } = this.#ports
    const parsed = Elicitation.safeParse(request)
    if (!parsed.success) {
      breaker.count('question that cannot be read', 'broken')
      return control.refuse(id, 'This question cannot be read.')
    }
    const { message: text, mode, requested_schema: schema } = parsed.data
    if (mode === 'url') return control.respond(id, { action: 'cancel' })
    if (isCancelling() || asks.isFull || !asks.isNew(id)) return control.respond(id, { action: 'cancel' })
    emit({ t: 'question', question: asks.openElicitation(id), text, schema: schema ?? undefined })
  }
}

/** The agent's own words about what it asks, and what else it wished for and does not get. */
function reasonOf(
  { description, decision_reason: why, blocked_path: path }: CanUseTool,
  wished: readonly string[],
): string | undefined {
  const kept = wished.map(
    (wish) => `Along with it, it wished to be allowed, and is asked when it comes to that: ${wish}`,
  )
  const parts = [description, why, path ? `It is about ${path}` : undefined, ...kept].filter((text) => text)
  return parts.length > 0 ? parts.join('\n') : undefined
}
