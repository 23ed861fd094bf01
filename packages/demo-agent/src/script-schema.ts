import { z } from 'zod'
import type { Ask, Step } from './script.ts'

const stopReason = z.enum(['end_turn', 'max_tokens', 'max_turn_requests', 'refusal', 'cancelled'])
const toolKind = z.enum([
  'read',
  'edit',
  'delete',
  'move',
  'search',
  'execute',
  'think',
  'fetch',
  'switch_mode',
  'other',
])
const toolStatus = z.enum(['pending', 'in_progress', 'completed', 'failed'])
const planStatus = z.enum(['pending', 'in_progress', 'completed'])
const priority = z.enum(['high', 'medium', 'low'])
const count = z.int().nonnegative().max(100_000_000)
const ms = z.number().nonnegative().max(86_400_000)
const path = z.string().min(1).max(4096)
const argv = z.array(z.string()).min(1)
const bag = z.record(z.string(), z.unknown())

const option = z.strictObject({
  optionId: z.string(),
  name: z.string(),
  kind: z.enum(['allow_once', 'allow_always', 'reject_once', 'reject_always']),
})

const steps: z.ZodType<Step[]> = z.lazy(() => z.array(step))

const askShape = {
  tool: z.string().exactOptional(),
  title: z.string(),
  kind: toolKind,
  input: bag,
  options: z.array(option).exactOptional(),
  onAllow: steps.exactOptional(),
  onDeny: steps.exactOptional(),
  record: path.exactOptional(),
  announce: z.boolean().exactOptional(),
  closeOnDeny: z.boolean().exactOptional(),
  whenCancelled: z.enum(['withdraw', 'await']).exactOptional(),
}
const ask: z.ZodType<Ask> = z.strictObject(askShape)

const speech = {
  text: z.string(),
  chunks: count.min(1).exactOptional(),
  delayMs: ms.exactOptional(),
}

const step: z.ZodType<Step> = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('say'), ...speech, anonymous: z.boolean().exactOptional() }),
  z.strictObject({ do: z.literal('think'), ...speech }),
  z.strictObject({
    do: z.literal('plan'),
    entries: z.array(
      z.strictObject({
        content: z.string(),
        status: planStatus.exactOptional(),
        priority: priority.exactOptional(),
      }),
    ),
  }),
  z.strictObject({
    do: z.literal('tool'),
    tool: z.string().exactOptional(),
    title: z.string(),
    kind: toolKind,
    input: bag.exactOptional(),
    output: z.string().exactOptional(),
    status: toolStatus.exactOptional(),
  }),
  z.strictObject({ do: z.literal('ask'), ...askShape }),
  z.strictObject({ do: z.literal('askTwo'), asks: z.tuple([ask, ask]) }),
  z.strictObject({ do: z.literal('write'), path, content: z.string() }),
  z.strictObject({ do: z.literal('read'), path }),
  z.strictObject({ do: z.literal('run'), argv }),
  z.strictObject({ do: z.literal('wait'), ms }),
  z.strictObject({ do: z.literal('waitFile'), path }),
  z.strictObject({ do: z.literal('listen') }),
  z.strictObject({ do: z.literal('flood'), count, bytes: count }),
  z.strictObject({ do: z.literal('tick'), everyMs: ms, count, text: z.string().exactOptional() }),
  z.strictObject({
    do: z.literal('hang'),
    deaf: z.boolean().exactOptional(),
    stubborn: z.boolean().exactOptional(),
  }),
  z.strictObject({
    do: z.literal('die'),
    code: z.int().min(0).max(255).exactOptional(),
    signal: z.enum(['SIGKILL', 'SIGTERM', 'SIGSEGV', 'SIGABRT', 'SIGINT', 'SIGHUP']).exactOptional(),
  }),
  z.strictObject({
    do: z.literal('nonsense'),
    kind: z.enum([
      'text',
      'badJson',
      'hugeLine',
      'unknownMethod',
      'unknownUpdate',
      'wrongId',
      'deepJson',
      'batch',
      'nullUpdate',
      'binary',
    ]),
    bytes: count.exactOptional(),
  }),
  z.strictObject({ do: z.literal('stderr'), text: z.string() }),
  z.strictObject({
    do: z.literal('question'),
    message: z.string(),
    schema: bag,
    record: path.exactOptional(),
    onAccept: steps.exactOptional(),
    onDecline: steps.exactOptional(),
  }),
  z.strictObject({ do: z.literal('end'), stopReason }),
  z.strictObject({ do: z.literal('error'), message: z.string(), code: z.int().exactOptional() }),
  z.strictObject({
    do: z.literal('usage'),
    used: count,
    size: count,
    cost: z.strictObject({ amount: z.number(), currency: z.string() }).exactOptional(),
  }),
  z.strictObject({ do: z.literal('mode'), id: z.string().min(1) }),
  z.strictObject({ do: z.literal('forgetMode'), to: z.string().min(1).exactOptional() }),
  z.strictObject({
    do: z.literal('spawnChild'),
    argv,
    detached: z.boolean().exactOptional(),
    pidFile: path.exactOptional(),
  }),
  z.strictObject({ do: z.literal('env'), file: path }),
])

/** Reads a script. Throws an Error whose message says where the script is wrong. */
export function parseScript(text: string): Step[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new Error('the script is not JSON', { cause })
  }
  const result = steps.safeParse(value)
  if (!result.success) throw new Error(`the script is not valid: ${z.prettifyError(result.error)}`)
  return result.data
}

const OPEN = 'SCRIPT:'
const CLOSE = ':END'

/**
 * Finds the scripts that ride in a prompt, in order and as one list; null when there is none. Text around and between
 * them is ignored, since clients may wrap or join messages. Throws like parseScript.
 */
export function findScript(prompt: string): Step[] | null {
  const found: Step[] = []
  let from = prompt.indexOf(`${OPEN}[`)
  if (from < 0) return null
  while (from >= 0) {
    const start = from + OPEN.length
    const end = endOfJson(prompt, start)
    found.push(...parseScript(prompt.slice(start, end)))
    from = prompt.indexOf(`${OPEN}[`, end)
  }
  return found
}

/** A ":END" inside one of the script's strings must not end it: the first one behind valid JSON does. */
function endOfJson(prompt: string, start: number): number {
  let end = prompt.indexOf(CLOSE, start)
  while (end >= 0) {
    if (isJson(prompt.slice(start, end))) return end
    end = prompt.indexOf(CLOSE, end + CLOSE.length)
  }
  throw new Error('the script in the prompt is not JSON, or :END is missing')
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
