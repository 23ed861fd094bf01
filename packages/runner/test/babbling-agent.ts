import { createInterface } from 'node:readline'
import { mutateText, mutateValue, oddJson, oddText } from '@hotline/testing/frame-mutator'
import { seededRandom } from '@hotline/testing/seed'

/** What this agent says to a prompt: so many frames with odd contents, some of them wrong, all from one seed. */
export interface Babble {
  seed: number
  frames: number
  /** Share of frames that are wrong in their form as well. */
  broken: number
}

const { seed, frames, broken } = JSON.parse(process.argv[2] ?? '{}') as Babble
const random = seededRandom(seed)
const sessionId = 'babble'

const maybe = (name: string, value: unknown): Record<string, unknown> => (random.chance(0.5) ? { [name]: value } : {})
const list = <T>(max: number, make: () => T): T[] => Array.from({ length: random.int(0, max) }, make)
const toolCall = (): Record<string, unknown> => ({
  toolCallId: random.chance(0.8) ? `t${random.int(0, 20)}` : `${oddText(random).slice(0, 400)}.`,
  ...maybe('title', oddText(random)),
  ...maybe('kind', random.chance(0.7) ? random.pick(['read', 'edit', 'execute', 'think']) : oddText(random)),
  ...maybe('status', random.chance(0.7) ? random.pick(['pending', 'in_progress', 'completed', 'failed']) : null),
  ...maybe(
    'content',
    list(3, () => random.pick([() => ({ type: oddText(random) }), diff, block])()),
  ),
  ...maybe(
    'locations',
    list(3, () => ({ path: oddText(random), line: oddJson(random, 0) })),
  ),
  ...maybe('rawInput', oddJson(random, 6)),
  ...maybe('rawOutput', oddJson(random, 6)),
  ...maybe('_meta', oddJson(random)),
})
const diff = (): object => ({ type: 'diff', path: oddText(random), oldText: oddText(random), newText: oddText(random) })
const block = (): object => ({ type: 'content', content: { type: 'text', text: oddText(random) } })
const update = (sessionUpdate: string, rest: object): object => ({
  jsonrpc: '2.0',
  method: 'session/update',
  params: { sessionId, update: { sessionUpdate, ...rest } },
})
const request = (method: string, params: object): object => ({ jsonrpc: '2.0', id: random.int(1, 1e9), method, params })
const option = (): object => ({
  optionId: oddText(random),
  name: oddText(random),
  kind: random.pick(['allow_once', 'allow_always', 'reject_once', 'reject_always', oddText(random)]),
})

/** Right in its form, and odd in everything that it may choose. */
const kinds: readonly (() => object)[] = [
  () => update('agent_message_chunk', { content: { type: 'text', text: oddText(random) } }),
  () =>
    update('agent_message_chunk', { content: { type: 'text', text: 'x' }, messageId: oddText(random).slice(0, 400) }),
  () => update('agent_thought_chunk', { content: { type: oddText(random), text: oddText(random) } }),
  () => update('tool_call', toolCall()),
  () => update('tool_call_update', toolCall()),
  () => update('plan', { entries: list(5, () => ({ content: oddText(random), status: oddJson(random, 0) })) }),
  () =>
    update('usage_update', { used: oddJson(random, 0), size: oddJson(random, 0), ...maybe('cost', oddJson(random)) }),
  () => update('available_commands_update', { availableCommands: oddJson(random) }),
  () => update('session_info_update', { title: oddJson(random) }),
  () => request('session/request_permission', { sessionId, toolCall: toolCall(), options: [option(), option()] }),
  () => request('elicitation/create', { mode: 'form', sessionId, message: oddText(random), requestedSchema: {} }),
  () => ({ jsonrpc: '2.0', method: '$/cancel_request', params: { requestId: oddJson(random, 0) } }),
]

function frame(): string {
  const right = random.pick(kinds)()
  if (!random.chance(broken)) return JSON.stringify(right)
  const wrong = random.chance(0.6)
    ? JSON.stringify(mutateValue(random, right))
    : mutateText(random, JSON.stringify(right))
  return wrong.replaceAll('\n', ' ')
}

function send(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
}

async function babble(): Promise<void> {
  for (let at = 0; at < frames; at += 1) {
    if (!process.stdout.write(`${frame()}\n`)) await new Promise((resolve) => process.stdout.once('drain', resolve))
  }
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line) as { id?: unknown; method?: string }
  if (id === undefined || method === undefined) return
  if (method === 'initialize') return send({ id, result: { protocolVersion: 1 } })
  if (method === 'session/new') {
    const modes = { currentModeId: 'ask', availableModes: [{ id: 'ask', name: 'ask' }] }
    return send({ id, result: { sessionId, modes } })
  }
  if (method === 'session/prompt') return void babble().then(() => send({ id, result: { stopReason: 'end_turn' } }))
  send({ id, result: {} })
})
