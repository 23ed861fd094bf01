import type { CanUseTool } from './schema.ts'

/** A plan that is to be approved, as people read it. */
export interface AskedPlan {
  text: string
  /** What goes back to the agent with a yes. */
  input: Readonly<Record<string, unknown>>
  /** What it would be allowed along with the plan, in its own words; it gets none of that, and asks when it comes to it. */
  wished: readonly string[]
}

/** All that a plan is known to hold. With anything else nobody here knows what a yes means, and it is asked as it is. */
const known: ReadonlySet<string> = new Set(['plan', 'planFilePath', 'allowedPrompts'])
const wishesMax = 20
const wishChars = 200

/** Reads a request for going ahead; undefined for every other. `called`: the input of the call that it belongs to. */
export function planOf({ tool_name: tool, input }: CanUseTool, called: unknown): AskedPlan | undefined {
  if (tool !== 'ExitPlanMode' || Object.keys(input).some((name) => !known.has(name))) return undefined
  const said = (called ?? {}) as { plan?: unknown }
  const plan = [input['plan'], said.plan].find((text) => typeof text === 'string' && text.trim() !== '')
  const { allowedPrompts: wishes, ...rest } = input
  return {
    text: typeof plan === 'string' ? plan : '(The agent has not written down its plan.)',
    input: rest,
    wished: Array.isArray(wishes) ? wishes.slice(0, wishesMax).map(wordsOf) : [],
  }
}

function wordsOf(wish: unknown): string {
  return (typeof wish === 'string' ? wish : JSON.stringify(wish)).slice(0, wishChars).toWellFormed()
}
