import { createInterface } from 'node:readline'
import { mutateText, mutateValue, oddJson, oddText } from '@hotline/testing/frame-mutator'
import { seededRandom } from '@hotline/testing/seed'
import type { Babble } from './babbling-agent.ts'

// A Claude Code that says to a prompt so many lines with odd contents, some of them wrong in their form, all from one seed.

const { seed, frames, broken } = JSON.parse(process.argv[2] ?? '{}') as Babble
const random = seededRandom(seed)

const maybe = (name: string, value: unknown): Record<string, unknown> => (random.chance(0.5) ? { [name]: value } : {})
const call = (): string => (random.chance(0.8) ? `toolu_${random.int(0, 20)}` : `${oddText(random).slice(0, 400)}.`)
const parent = (): Record<string, unknown> => ({ parent_tool_use_id: random.chance(0.8) ? null : call() })
const tool = (): string =>
  random.pick(['Bash', 'Write', 'Edit', 'Read', 'AskUserQuestion', 'ExitPlanMode', oddText(random)])
const file = (): object => ({
  file_path: oddText(random),
  content: oddText(random),
  old_string: oddText(random),
  new_string: oddText(random),
})
const input = (): object =>
  random.pick([() => ({ command: oddText(random) }), file, () => ({ x: oddJson(random, 6) })])()
const block = (): object =>
  random.pick([
    () => ({ type: 'text', text: oddText(random) }),
    () => ({ type: 'thinking', thinking: oddText(random) }),
    () => ({ type: 'tool_use', id: call(), name: tool(), input: input() }),
    () => ({ type: oddText(random) }),
  ])()
const result = (): object => ({
  type: 'tool_result',
  tool_use_id: call(),
  content: random.pick([oddText(random), [{ type: 'text', text: oddText(random) }], oddJson(random)]),
  ...maybe('is_error', random.chance(0.5)),
})
const patch = (): object => ({
  filePath: oddText(random),
  ...maybe('type', random.pick(['create', 'update'])),
  ...maybe('originalFile', oddText(random)),
  ...maybe('content', oddText(random)),
  ...maybe('structuredPatch', [{ lines: [`-${oddText(random)}`, `+${oddText(random)}`, oddText(random)] }]),
})
const rules = (): object => ({
  type: random.pick(['addRules', 'setMode', 'addDirectories', oddText(random)]),
  behavior: 'allow',
  rules: [{ toolName: tool(), ...maybe('ruleContent', oddText(random)) }],
})
const request = (body: object): object => ({
  type: 'control_request',
  request_id: `r${random.int(1, 1e9)}`,
  request: body,
})
const delta = (): object =>
  random.chance(0.5)
    ? { type: 'text_delta', text: oddText(random) }
    : { type: 'thinking_delta', thinking: oddText(random) }

/** Right in its form, and odd in everything that it may choose. */
const kinds: readonly (() => object)[] = [
  () => ({ type: 'stream_event', event: { type: 'content_block_delta', index: 0, delta: delta() }, ...parent() }),
  () => ({ type: 'stream_event', event: { type: 'content_block_start', content_block: block() }, ...parent() }),
  () => ({ type: 'stream_event', event: { type: 'message_start', message: { id: oddText(random) } } }),
  () => ({ type: 'assistant', message: { id: oddText(random), content: [block(), block()] }, ...parent() }),
  () => ({ type: 'user', message: { content: [result()] }, ...parent(), ...maybe('tool_use_result', patch()) }),
  () => ({ type: 'system', subtype: 'status', status: oddText(random) }),
  () => ({ type: 'system', subtype: 'api_retry', attempt: oddJson(random, 0), error: oddText(random) }),
  () => ({ type: 'system', subtype: 'task_notification', tool_use_id: call(), summary: oddText(random) }),
  () => ({ type: 'system', subtype: 'init', permissionMode: 'default', model: oddText(random) }),
  () => ({ type: 'command_lifecycle', command_uuid: oddText(random), state: oddText(random) }),
  () => ({ type: oddText(random), with: oddJson(random) }),
  () =>
    request({
      subtype: 'can_use_tool',
      tool_name: tool(),
      tool_use_id: call(),
      input: input(),
      ...maybe('description', oddText(random)),
      ...maybe('permission_suggestions', [rules(), rules()]),
    }),
  () => request({ subtype: 'elicitation', message: oddText(random), ...maybe('requested_schema', oddJson(random)) }),
  () => request({ subtype: 'hook_callback', input: { hook_event_name: oddText(random), tool_use_id: call() } }),
  () => request({ subtype: oddText(random) }),
  () => ({ type: 'control_cancel_request', request_id: `r${random.int(1, 100)}` }),
]

function line(): string {
  const right = random.pick(kinds)()
  if (!random.chance(broken)) return JSON.stringify(right)
  const wrong = random.chance(0.6)
    ? JSON.stringify(mutateValue(random, right))
    : mutateText(random, JSON.stringify(right))
  return wrong.replaceAll('\n', ' ')
}

const send = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`)
const init = { type: 'system', subtype: 'init', session_id: 's', permissionMode: 'default' }

async function babble(): Promise<void> {
  send(init)
  for (let at = 0; at < frames; at += 1) {
    if (!process.stdout.write(`${line()}\n`)) await new Promise((resolve) => process.stdout.once('drain', resolve))
  }
  const modelUsage = { [oddText(random)]: { inputTokens: oddJson(random, 0), outputTokens: 1 } }
  send({ type: 'result', subtype: 'success', is_error: random.chance(0.5), result: oddText(random), modelUsage })
}

createInterface({ input: process.stdin }).on('line', (text) => {
  const said = JSON.parse(text) as { type: string; request_id?: string; request?: { mode?: string } }
  if (said.type === 'user') void babble()
  if (said.type !== 'control_request') return
  const response = { current_permission_mode: 'default', ...(said.request?.mode ? { mode: said.request.mode } : {}) }
  send({ type: 'control_response', response: { subtype: 'success', request_id: said.request_id, response } })
})
