import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Act, Fakery, Line } from './fake-claude-acts.ts'

/** A program that speaks Claude Code's control protocol and does what its prompts say: a list of acts as JSON. */

const fakery = JSON.parse(process.argv[2] ?? '{}') as Fakery
const flag = (name: string): string | undefined => {
  const at = process.argv.indexOf(name)
  return at < 0 ? undefined : process.argv[at + 1]
}
const session = flag('--resume') ?? flag('--session-id') ?? randomUUID()
let mode = fakery.mode ?? flag('--permission-mode') ?? 'default'
let inputs = 0
const lastOf: Record<string, string> = { $SESSION: session }
const answers = new Map<string, (answer: Line | undefined) => void>()
const later: (readonly Act[])[] = []
/** Messages that no turn has taken up. */
const inbox: { uuid: string; text: string }[] = []
let arrived: (() => void) | undefined
/** Set while a turn is under way. */
let stop: (() => void) | undefined

function send(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function raw(text: string): void {
  process.stdout.write(`${Object.entries(lastOf).reduce((all, [name, value]) => all.replaceAll(name, value), text)}\n`)
}

const speaking = (): Line => ({ session_id: session, parent_tool_use_id: null })
const stream = (event: Line): void => send({ type: 'stream_event', event, ...speaking() })
const assistant = (id: string, block: Line, parent: string | null = null): void =>
  send({
    type: 'assistant',
    message: { id, role: 'assistant', model: 'fake-model', content: [block], usage: { input_tokens: 50 } },
    ...speaking(),
    parent_tool_use_id: parent,
  })

/** A message of the model: in pieces, then whole. */
async function say(text: string, pieces: number): Promise<void> {
  const id = randomUUID()
  stream({ type: 'message_start', message: { id } })
  stream({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })
  const size = Math.ceil(text.length / pieces)
  const cuts = pieces === 1 ? [text] : (text.match(/[^\n]*\n/g) ?? [text])
  for (const piece of pieces > 1 && cuts.length === pieces ? cuts : [text.slice(0, size), text.slice(size)]) {
    const line = {
      type: 'stream_event',
      event: { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: piece } },
      ...speaking(),
    }
    if (!process.stdout.write(`${JSON.stringify(line)}\n`)) await once(process.stdout, 'drain')
  }
  assistant(id, { type: 'text', text })
}

async function ask(act: Extract<Act, { do: 'ask' }>): Promise<void> {
  const { tool, input = {}, suggestions, onAllow, parent, times } = act
  const call = `toolu_${randomUUID()}`
  const id = randomUUID()
  Object.assign(lastOf, { $CALL: call, $REQUEST: id })
  if (act.announce !== false) assistant(randomUUID(), { type: 'tool_use', id: call, name: tool, input }, parent ?? null)
  const asked = {
    subtype: 'can_use_tool',
    tool_name: tool,
    display_name: tool,
    input,
    tool_use_id: call,
    ...(suggestions ? { permission_suggestions: suggestions } : {}),
  }
  const answer = await new Promise<Line | undefined>((resolve) => {
    answers.set(id, resolve)
    for (let n = 0; n < (times ?? 1); n += 1) send({ type: 'control_request', request_id: id, request: asked })
    for (const line of act.after ?? []) raw(line)
  })
  writeFileSync(`answer-${(inputs += 1)}.json`, JSON.stringify(answer ?? null))
  if (!answer) return
  const isAllowed = answer['behavior'] === 'allow'
  if (isAllowed) for (const next of onAllow ?? []) await play(next)
  const content = isAllowed ? 'ok' : String(answer['message'])
  if (isAllowed && fakery.hooks !== false) await hook(call, tool)
  send({
    type: 'user',
    message: { role: 'user', content: [{ type: 'tool_result', tool_use_id: call, content, is_error: !isAllowed }] },
    ...speaking(),
    parent_tool_use_id: parent ?? null,
    ...(isAllowed && act.result ? { tool_use_result: act.result } : {}),
  })
}

async function hook(call: string, tool: string): Promise<void> {
  const id = randomUUID()
  const input = { hook_event_name: 'PostToolUse', tool_name: tool, tool_use_id: call }
  const answer = await new Promise<Line | undefined>((resolve) => {
    answers.set(id, resolve)
    send({ type: 'control_request', request_id: id, request: { subtype: 'hook_callback', callback_id: 'done', input } })
  })
  const said = (answer?.['hookSpecificOutput'] as Line | undefined)?.['additionalContext']
  if (typeof said === 'string') writeFileSync('told.txt', said)
}

async function play(act: Act): Promise<void> {
  switch (act.do) {
    case 'say':
      return say(act.text, act.pieces ?? 1)
    case 'ask':
      return ask(act)
    case 'write':
      return writeFileSync(act.path, act.content ?? '')
    case 'raw':
      for (let n = 0; n < (act.times ?? 1); n += 1) raw(act.line)
      return
    case 'long': {
      const piece = Buffer.alloc(1024 * 1024, 'x')
      for (let left = act.bytes; left > 0; left -= piece.length) {
        if (!process.stdout.write(piece.subarray(0, left))) await once(process.stdout, 'drain')
      }
      process.stdout.write('\n')
      return
    }
    case 'later':
      later.push(act.acts)
      return
    case 'listen': {
      while (inbox.length === 0) await new Promise<void>((resolve) => (arrived = resolve))
      const { uuid = '', text = '' } = inbox.shift() ?? {}
      lifecycle(uuid, 'started')
      await say(`heard: ${text}\n`, 1)
      return lifecycle(uuid, 'completed')
    }
    case 'die':
      process.exitCode = act.code
      process.stdin.destroy()
      return new Promise(() => undefined)
    case 'spawn': {
      const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
      child.unref()
      return writeFileSync('child', String(child.pid))
    }
    case 'hang':
      return new Promise(() => undefined)
  }
}

/** A turn from its init to its result. */
async function work(list: readonly Act[]): Promise<void> {
  const turnMode = fakery.turnMode ?? mode
  send({ type: 'system', subtype: 'init', session_id: session, permissionMode: turnMode, model: 'fake-model' })
  const stopped = new Promise<'stopped'>((resolve) => {
    stop = () => resolve('stopped')
  })
  const played = (async () => {
    for (const act of list) await play(act)
    return 'played' as const
  })()
  const how = await Promise.race([played, stopped])
  stop = undefined
  const modelUsage = {
    'fake-model': { inputTokens: 100, outputTokens: 7, cacheReadInputTokens: 5, contextWindow: 1000 },
  }
  const end =
    how === 'stopped'
      ? { subtype: 'error_during_execution', is_error: true, terminal_reason: 'aborted_streaming' }
      : { subtype: 'success', is_error: false, terminal_reason: 'completed', result: '' }
  send({ type: 'result', ...end, ...fakery.result, session_id: session, total_cost_usd: 0.25, modelUsage })
}

function lifecycle(uuid: string, state: string): void {
  if (fakery.lifecycle !== false) send({ type: 'command_lifecycle', command_uuid: uuid, state })
}

async function turn(uuid: string, text: string): Promise<void> {
  const list = text.startsWith('[{') ? (JSON.parse(text) as Act[]) : [{ do: 'say', text: `heard ${text}` } as const]
  if (fakery.ownFirst) await work([{ do: 'say', text: 'of its own' }])
  lifecycle(uuid, 'started')
  if (fakery.lateInit) await new Promise((resolve) => setTimeout(resolve, fakery.lateInit))
  await work(list)
  lifecycle(uuid, 'completed')
  for (const own of later.splice(0)) await work(own)
}

function request(id: string, asked: Line): void {
  const ok = (response: Line): void =>
    send({ type: 'control_response', response: { subtype: 'success', request_id: id, response } })
  const no = (error: string): void =>
    send({ type: 'control_response', response: { subtype: 'error', request_id: id, error } })
  switch (asked['subtype']) {
    case 'initialize':
      if (fakery.mute) return
      if (fakery.lastWords) process.stderr.write(`${fakery.lastWords}\n`)
      return ok({
        current_permission_mode: mode,
        commands: fakery.commands ?? [],
        ...(fakery.account ? { account: fakery.account } : {}),
      })
    case 'set_permission_mode':
      if (fakery.refuseMode) return no('I like it here')
      if (!fakery.keepMode) mode = String(asked['mode'])
      return ok({ mode })
    case 'interrupt': {
      ok({ still_queued: [] })
      if (fakery.deaf && (fakery.deaf -= 1) >= 0) return
      if (!stop) return
      for (const [open, resolve] of answers) {
        send({ type: 'control_cancel_request', request_id: open })
        resolve(undefined)
      }
      answers.clear()
      return stop()
    }
    default:
      return no(`Unsupported control request subtype: ${String(asked['subtype'])}`)
  }
}

if (fakery.dieAtStart !== undefined) {
  process.stderr.write('the settings are broken\n')
  process.exitCode = fakery.dieAtStart
} else {
  let waiting = Promise.resolve()
  createInterface({ input: process.stdin }).on('line', (told) => {
    const line = JSON.parse(told) as Line
    if (line['type'] === 'control_request') return request(String(line['request_id']), line['request'] as Line)
    if (line['type'] === 'control_response') {
      const { request_id: id, response } = line['response'] as { request_id: string; response?: Line }
      const resolve = answers.get(id)
      answers.delete(id)
      return resolve?.(response)
    }
    if (line['type'] !== 'user') return
    const { content } = line['message'] as { content: { type: string; text?: string }[] }
    const text = content.flatMap((block) => block.text ?? []).join('')
    const message = { uuid: String(line['uuid']), text }
    if (content.some(({ type }) => type !== 'text')) writeFileSync('prompt.json', JSON.stringify(content))
    lifecycle(message.uuid, 'queued')
    inbox.push(message)
    arrived?.()
    waiting = waiting.then(async () => {
      const next = inbox.shift()
      if (next) await turn(next.uuid, next.text)
    })
  })
}
