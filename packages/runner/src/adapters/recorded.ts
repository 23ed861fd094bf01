import type { AgentSession } from './adapter.ts'

/** Calls that change what an agent does, and so what it says afterwards. */
const recorded = ['prompt', 'steer', 'answer', 'dismiss', 'answerQuestion', 'interrupt', 'setMode', 'keys'] as const

/** A call as it is noted, before it is made. */
export interface RecordedCall {
  call: (typeof recorded)[number]
  args: readonly unknown[]
}

/** Notes every such call first, so that a later life can make it again at the same point of the conversation. */
export function recordCalls(agent: AgentSession, note: (call: RecordedCall) => void): AgentSession {
  const own: Partial<Record<string | symbol, unknown>> = {}
  for (const call of recorded) {
    if (agent[call] === undefined) continue
    own[call] = (...args: unknown[]): unknown => {
      // Of keys, the name is enough: nobody goes through them once more.
      note({ call, args: call === 'keys' ? args.slice(1) : args })
      return callAgent(agent, { call, args })
    }
  }
  return new Proxy(agent, {
    get: (target, name) => {
      const value: unknown = own[name] ?? Reflect.get(target, name, target)
      return typeof value === 'function' && !(name in own) ? value.bind(target) : value
    },
  })
}

/** Makes a call that was noted. */
export function callAgent(agent: AgentSession, { call, args }: RecordedCall): Promise<unknown> {
  const method = agent[call] as (...given: unknown[]) => Promise<unknown>
  return method.apply(agent, [...args])
}

/** What was noted, if it is a call. */
export function readCall(note: unknown): RecordedCall | undefined {
  const { call, args } = (note ?? {}) as { call?: unknown; args?: unknown }
  const name = recorded.find((one) => one === call)
  return name !== undefined && Array.isArray(args) ? { call: name, args } : undefined
}
