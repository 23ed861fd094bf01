import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** How this agent differs from a well-behaved one. Given as JSON in the first argument. */
export interface Oddness {
  /** Modes by the call of their own; the first is the one that it starts in. */
  modes?: string[]
  /** Modes as a configuration option instead. */
  modeOption?: string[]
  refuseMode?: boolean
  /** Says yes to a configuration option and stays as it is. */
  keepMode?: boolean
  /**
   * Raw lines that answer each prompt, before its end. Filled in: `$SESSION`; `$PROMPT`, the id of this prompt; `$BEFORE`, that
   * of the one before; `$OPENED` and `$STARTED`, those of session/new and initialize.
   */
  say?: string[]
  /** Raw lines when the turn is to be stopped; the prompt has no other answer then. */
  onCancel?: string[]
  /** How many wishes to stop it does not hear. */
  deafFor?: number
  /** How often. */
  times?: number
  /** Lines of so many bytes before those. */
  longLines?: number[]
  protocolVersion?: number
  /** Asked for version 2 it speaks it, only repeats the number, or takes offence. */
  v2?: 'speaks' | 'repeats' | 'refuses'
  /** Does not answer this method. */
  mute?: string
  dieAtStart?: boolean
  canLoad?: boolean
  /** It looks at pictures, and says of each prompt what was in it. */
  pictures?: boolean
  /** Repeats prompts' own ids, or makes some up, in answers. */
  stopReason?: string
}

const odd = JSON.parse(process.argv[2] ?? '{}') as Oddness
const ids = { $SESSION: 'odd-1', $PROMPT: '', $BEFORE: '', $OPENED: '', $STARTED: '' }
let cancels = 0
let mode = (odd.modes ?? odd.modeOption ?? [])[0]

function send(message: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
}

function sayRaw(line: string): void {
  const filled = Object.entries(ids).reduce((text, [name, value]) => text.replaceAll(name, value), line)
  process.stdout.write(`${filled}\n`)
}

function opened(): Record<string, unknown> {
  const named = (modes: string[]): unknown => modes.map((id) => ({ id, name: id }))
  const option = {
    [odd.v2 === 'speaks' ? 'configId' : 'id']: 'm',
    category: 'mode',
    type: 'select',
    name: 'Mode',
    currentValue: mode,
  }
  return {
    sessionId: 'odd-1',
    ...(odd.modes ? { modes: { currentModeId: mode, availableModes: named(odd.modes) } } : {}),
    ...(odd.modeOption
      ? { configOptions: [{ ...option, options: odd.modeOption.map((value) => ({ value, name: value })) }] }
      : {}),
  }
}

/** As fast as it is read, and no faster. */
async function writeLong(bytes: number): Promise<void> {
  const piece = Buffer.alloc(1024 * 1024, 'x')
  for (let left = bytes; left > 0; left -= piece.length) {
    if (!process.stdout.write(piece.subarray(0, left))) await once(process.stdout, 'drain')
  }
  process.stdout.write('\n')
}

function answerV2(id: unknown, how: 'speaks' | 'repeats' | 'refuses'): Record<string, unknown> {
  if (how === 'refuses') return { id, error: { code: -32_602, message: 'there is no version 2' } }
  const info = { name: 'odd', version: '0' }
  return {
    id,
    result: { protocolVersion: 2, ...(how === 'speaks' ? { info, capabilities: {} } : { agentInfo: info }) },
  }
}

async function answer(id: unknown, method: string, params: Record<string, unknown>): Promise<void> {
  if (method === odd.mute) return
  if (method === 'initialize') {
    ids.$STARTED = String(id)
    if (odd.v2 !== undefined && params['protocolVersion'] === 2) return send(answerV2(id, odd.v2))
    const promptCapabilities = { image: odd.pictures === true }
    const agentCapabilities = { loadSession: odd.canLoad === true, promptCapabilities }
    return send({ id, result: { protocolVersion: odd.protocolVersion ?? 1, agentCapabilities, authMethods: [] } })
  }
  if (method === 'session/new' || method === 'session/load') {
    ids.$OPENED = String(id)
    return send({ id, result: opened() })
  }
  if (method === 'session/set_mode' || method === 'session/set_config_option') {
    if (odd.refuseMode) return send({ id, error: { code: -32_000, message: 'I like it here' } })
    if (odd.v2 === 'speaks' && params['type'] !== 'id')
      return send({ id, error: { code: -32_602, message: 'no type' } })
    if (!odd.keepMode) mode = String(params['modeId'] ?? params['value'])
    return send({ id, result: method === 'session/set_mode' ? {} : opened() })
  }
  if (method === 'session/prompt') {
    Object.assign(ids, { $BEFORE: ids.$PROMPT, $PROMPT: String(id) })
    if (odd.pictures) {
      const content = { type: 'text', text: JSON.stringify(params['prompt']) }
      const update = { sessionUpdate: 'agent_message_chunk', content }
      send({ method: 'session/update', params: { sessionId: ids.$SESSION, update } })
    }
    for (const bytes of odd.longLines ?? []) await writeLong(bytes)
    for (let round = 0; round < (odd.times ?? 1); round += 1) {
      for (const line of odd.say ?? []) {
        sayRaw(line)
      }
    }
    if (odd.onCancel) return
    return send({ id, result: { stopReason: odd.stopReason ?? 'end_turn' } })
  }
  send({ id, error: { code: -32_601, message: 'unknown' } })
}

if (odd.dieAtStart) {
  process.stderr.write('the config file is broken\n')
  process.exitCode = 3
} else {
  createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method, params } = JSON.parse(line) as {
      id?: unknown
      method?: string
      params?: Record<string, unknown>
    }
    if (method === 'session/cancel' && (cancels += 1) > (odd.deafFor ?? 0)) {
      for (const said of odd.onCancel ?? []) sayRaw(said)
    }
    if (method !== undefined && id !== undefined) void answer(id, method, params ?? {})
  })
}
