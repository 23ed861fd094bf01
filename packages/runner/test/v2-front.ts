import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

// An agent that speaks the draft of ACP v2: the one whose command line follows, which speaks v1, with its words in those of
// v2 on the way out and back. The adapter's contract is held against both.

type Message = {
  id?: string | number
  method?: string
  params?: Record<string, unknown>
  result?: unknown
  error?: unknown
}
type Params = Record<string, unknown>

const [program = '', ...args] = process.argv.slice(2)
const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
const asked = new Map<string | number, string>()
let modes: { currentModeId: string; availableModes: { id: string; name: string }[] } | undefined
let session = ''
let messageId = randomUUID()

const ask = (message: Message): void => void child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)

/** As fast as it is read, and no faster. */
async function tell(...messages: Message[]): Promise<void> {
  const text = messages.map((message) => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`).join('')
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}

const update = (body: Params): Message => ({ method: 'session/update', params: { sessionId: session, update: body } })
const state = (name: string, more: Params = {}): Message =>
  update({ sessionUpdate: 'state_update', state: name, ...more })

function configOptions(): unknown[] {
  const { currentModeId: currentValue, availableModes = [] } = modes ?? { currentModeId: '' }
  const options = availableModes.map(({ id, name }) => ({ value: id, name }))
  return [{ configId: 'mode', category: 'mode', type: 'select', name: 'Mode', currentValue, options }]
}

function content(parts: unknown): unknown {
  return (parts as Params[] | undefined)?.map((part) => {
    if (part['type'] !== 'diff') return part
    const path = String(part['path'])
    const lines = (text: unknown, sign: string): string[] =>
      typeof text === 'string' && text !== ''
        ? text
            .replace(/\n$/, '')
            .split('\n')
            .map((line) => `${sign}${line}\n`)
        : []
    const [minus, plus] = [lines(part['oldText'], '-'), lines(part['newText'], '+')]
    const head = `diff --git ${path} ${path}\n--- ${minus.length === 0 ? '/dev/null' : path}\n+++ ${path}\n`
    const text = `${head}@@ -1,${minus.length} +1,${plus.length} @@\n${[...minus, ...plus].join('')}`
    const operation = minus.length === 0 ? 'add' : 'modify'
    return { type: 'diff', changes: [{ operation, path }], patch: { format: 'git_patch', text } }
  })
}

const toolCall = (call: Params): Params => ({
  ...call,
  ...('content' in call ? { content: content(call['content']) } : {}),
})

function translate(said: Params): Params {
  switch (said['sessionUpdate']) {
    case 'agent_message_chunk':
    case 'agent_thought_chunk':
      return { messageId, ...said }
    case 'user_message_chunk':
      return { sessionUpdate: 'user_message', messageId: randomUUID(), content: [said['content']] }
    case 'tool_call':
    case 'tool_call_update':
      messageId = randomUUID()
      return { ...toolCall(said), sessionUpdate: 'tool_call_update' }
    case 'plan':
      return { sessionUpdate: 'plan_update', plan: { type: 'items', planId: 'p', entries: said['entries'] } }
    case 'current_mode_update':
      if (modes) modes.currentModeId = String(said['currentModeId'])
      return { sessionUpdate: 'config_option_update', configOptions: configOptions() }
    default:
      return said
  }
}

async function answered({ id = 0, result, error }: Message): Promise<void> {
  const method = asked.get(id)
  const { sessionId, modes: told, ...rest } = (result ?? {}) as { sessionId?: string; modes?: typeof modes } & Params
  if (method === 'session/prompt') {
    const failed = { stopReason: 'error', error }
    return tell(state('idle', error === undefined ? rest : failed))
  }
  if (error !== undefined) return tell({ id, error })
  if (method === '_session/steering') return tell({ id, result })
  if (method === 'initialize') {
    return tell({
      id,
      result: {
        protocolVersion: 2,
        info: { name: 'front', version: '0' },
        capabilities: { session: {} },
        _meta: rest['_meta'],
      },
    })
  }
  modes = told ?? modes
  session = sessionId ?? session
  await tell({ id, result: { ...(sessionId === undefined ? {} : { sessionId }), configOptions: configOptions() } })
}

async function fromAgent(message: Message): Promise<void> {
  const { id, method, params = {} } = message
  if (method === undefined) return answered(message)
  if (method === 'session/update') return tell(update(translate(params['update'] as Params)))
  if (method !== 'session/request_permission' || id === undefined) return tell(message)
  const { toolCall: about, ...rest } = params as { toolCall: Params } & Params
  const subject = { type: 'tool_call', toolCall: toolCall(about) }
  await tell(state('requires_action'), { id, method, params: { title: 'May I?', ...rest, subject } })
}

async function fromClient({ id, method, params = {}, ...rest }: Message): Promise<void> {
  if (method !== undefined && id !== undefined) asked.set(id, method)
  if (method === 'initialize') {
    const { info, capabilities } = params
    return ask({
      id: id ?? 0,
      method,
      params: { protocolVersion: 1, clientInfo: info, clientCapabilities: capabilities },
    })
  }
  if (method === 'session/resume') session = String(params['sessionId'])
  if (method === 'session/set_config_option') {
    if (modes && params['type'] === 'id') modes.currentModeId = String(params['value'])
    return ask({ id: id ?? 0, method: 'session/set_mode', params: { sessionId: session, modeId: params['value'] } })
  }
  if (method === 'session/prompt' && id !== undefined) {
    messageId = randomUUID()
    await tell({ id, result: { messageId: randomUUID() } }, state('running'))
  }
  ask({ ...(id === undefined ? {} : { id }), ...(method === undefined ? {} : { method, params }), ...rest })
}

child.on('exit', (code) => {
  process.exitCode = code ?? 1
  process.stdin.destroy()
})
const closing = (async () => {
  for await (const line of createInterface({ input: process.stdin })) await fromClient(JSON.parse(line) as Message)
  child.stdin.end()
})()
for await (const line of createInterface({ input: child.stdout })) await fromAgent(JSON.parse(line) as Message)
await closing.catch(() => undefined)
