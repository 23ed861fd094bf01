import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

/** How this app-server differs from codex's. Given as JSON in the first argument. */
export interface FakeCodexOptions {
  /** Does not answer this method. */
  mute?: string
  /** Refuses this method. */
  refuse?: string
  signedOut?: boolean
  /** Says these settings of a thread, whatever it was told. */
  settings?: Record<string, unknown>
  dieAtStart?: boolean
}

/** What it does in a turn, in order. A prompt is a list of these as JSON; any other prompt is answered with its own words. */
export type FakeStep =
  | { do: 'say'; text: string; chunks?: number; silent?: boolean }
  | { do: 'think'; text: string }
  | { do: 'write'; path: string }
  | { do: 'die'; code: number }
  | { do: 'spawn'; argv: string[]; pidFile: string }
  /** A command; `ask`: with these members of a request for permission. */
  | {
      do: 'command'
      item: string
      command: string
      ask?: Record<string, unknown>
      prints?: string[]
      /** How often it printed that, as it says at its end. */
      printedTimes?: number
      onAllow?: FakeStep[]
    }
  /** A command that runs on until it is terminated. */
  | { do: 'terminal'; item: string; command: string }
  | { do: 'patch'; item: string; changes?: unknown[]; ask?: Record<string, unknown> }
  /** Any request; says its answer. `withdraw`: takes it back at once. */
  | { do: 'request'; method: string; params?: Record<string, unknown>; id?: number | string; withdraw?: boolean }
  /** Raw lines, `times` over. Filled in: `$THREAD`, `$TURN`. */
  | { do: 'raw'; lines: string[]; times?: number }
  | { do: 'news'; method: string; params: Record<string, unknown> }
  | { do: 'together'; steps: FakeStep[] }
  /** Waits for something that is said into the turn, and repeats it. */
  | { do: 'listen' }
  | { do: 'fail'; message: string; info?: unknown }
  | { do: 'hang' }

interface Turn {
  id: string
  stopped: PromiseWithResolvers<'stopped'>
  steered: { text: string; clientId: unknown }[]
  hear: (() => void) | undefined
  failure: { message: string; codexErrorInfo: unknown } | undefined
}

const options = JSON.parse(process.argv[2] ?? '{}') as FakeCodexOptions
const thread = 'thread-1'
const waiting = new Map<number | string, (answer: Record<string, unknown>) => void>()
const terminals = new Map<string, { item: string; child: ChildProcess }>()
let settings: Record<string, unknown> = {}
let turn: Turn | undefined
let lastId = 0
let turns = 0
let messages = 0

/** Answers false where it should wait before it says more. */
function send(message: Record<string, unknown>): boolean {
  return process.stdout.write(`${JSON.stringify(message)}\n`)
}

function news(method: string, params: Record<string, unknown>): boolean {
  return send({ method, params: { threadId: thread, turnId: turn?.id, ...params } })
}

function item(what: 'started' | 'completed', members: Record<string, unknown>): void {
  news(`item/${what}`, { item: members })
}

/** Resolves with the answer, or never where the turn is stopped first. */
function ask(
  method: string,
  params: Record<string, unknown>,
  id: number | string = lastId++,
): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    waiting.set(id, (answer) => {
      waiting.delete(id)
      news('serverRequest/resolved', { requestId: id })
      resolve(answer)
    })
    send({ method, id, params: { threadId: thread, turnId: turn?.id, ...params } })
  })
}

async function command(step: Extract<FakeStep, { do: 'command' }>, running: Turn): Promise<void> {
  const members = {
    type: 'commandExecution',
    id: step.item,
    command: `/bin/bash -lc '${step.command}'`,
    cwd: process.cwd(),
    commandActions: [{ type: 'unknown', command: step.command }],
  }
  item('started', { ...members, status: 'inProgress' })
  let decision: unknown = 'accept'
  if (step.ask) {
    const { command: whole, cwd, commandActions } = members
    const request = { itemId: step.item, kind: 'command', command: whole, cwd, commandActions, reason: 'May I?' }
    const answer = await ask('item/commandExecution/requestApproval', { ...request, ...step.ask })
    decision = (answer['result'] as { decision?: unknown } | undefined)?.decision ?? 'error'
  }
  const isAllowed = decision === 'accept' || decision === 'acceptForSession'
  if (isAllowed) {
    for (const delta of step.prints ?? []) news('item/commandExecution/outputDelta', { itemId: step.item, delta })
    await play(step.onAllow ?? [], running)
  }
  const ending = isAllowed
    ? {
        status: 'completed',
        aggregatedOutput: (step.prints ?? []).join('').repeat(step.printedTimes ?? 1),
        exitCode: 0,
      }
    : { status: 'declined' }
  item('completed', { ...members, ...ending })
  if (decision === 'cancel') running.stopped.resolve('stopped')
  await playOne({ do: 'say', text: `${step.item} ${String(decision)}\n` }, running)
}

async function patch(step: Extract<FakeStep, { do: 'patch' }>, running: Turn): Promise<void> {
  const members = { type: 'fileChange', id: step.item, changes: step.changes ?? [] }
  if (step.changes) item('started', { ...members, status: 'inProgress' })
  const answer = await ask('item/fileChange/requestApproval', { itemId: step.item, reason: null, ...step.ask })
  const decision = (answer['result'] as { decision?: unknown } | undefined)?.decision
  item('completed', { ...members, status: decision === 'decline' ? 'declined' : 'completed' })
  await playOne({ do: 'say', text: `${step.item} ${String(decision)}\n` }, running)
}

function terminal(step: Extract<FakeStep, { do: 'terminal' }>): void {
  const members = { type: 'commandExecution', id: step.item, command: step.command, commandActions: [] }
  const child = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
  const processId = String(child.pid)
  terminals.set(processId, { item: step.item, child })
  child.once('exit', () => {
    terminals.delete(processId)
    item('completed', { ...members, status: 'failed', exitCode: 143, aggregatedOutput: 'hi\n' })
  })
  item('started', { ...members, status: 'inProgress', processId })
  writeFileSync(`${step.item}.pid`, processId)
}

function hear(running: Turn): Promise<void> {
  const { text, clientId } = running.steered.shift() ?? {}
  item('completed', { type: 'userMessage', id: `u${++messages}`, clientId, content: [{ type: 'text', text }] })
  return playOne({ do: 'say', text: `heard: ${text}\n` }, running)
}

async function playOne(step: FakeStep, running: Turn): Promise<void> {
  switch (step.do) {
    case 'say': {
      const id = `m${++messages}`
      item('started', { type: 'agentMessage', id, text: '' })
      const size = Math.ceil(step.text.length / (step.chunks ?? 1))
      for (let at = 0; !step.silent && at < step.text.length; at += size) {
        const delta = { itemId: id, delta: step.text.slice(at, at + size) }
        if (!news('item/agentMessage/delta', delta)) await once(process.stdout, 'drain')
      }
      return item('completed', { type: 'agentMessage', id, text: step.text })
    }
    case 'think':
      news('item/reasoning/summaryTextDelta', { itemId: `r${++messages}`, delta: step.text, summaryIndex: 0 })
      return
    case 'write':
      return writeFileSync(step.path, '')
    case 'die':
      // oxlint-disable-next-line unicorn/no-process-exit -- an agent that ends in the middle of something
      return process.exit(step.code)
    case 'spawn': {
      const child = spawn(step.argv[0] ?? '', step.argv.slice(1), { detached: true, stdio: 'ignore' })
      return writeFileSync(step.pidFile, String(child.pid))
    }
    case 'command':
      return command(step, running)
    case 'terminal':
      return terminal(step)
    case 'patch':
      return patch(step, running)
    case 'request': {
      const answer = ask(step.method, step.params ?? {}, step.id)
      if (step.withdraw) news('serverRequest/resolved', { requestId: step.id ?? lastId - 1 })
      const { result, error } = await answer
      return playOne({ do: 'say', text: `${step.method} ${JSON.stringify(result ?? error)}\n` }, running)
    }
    case 'raw':
      for (const line of Array.from({ length: step.times ?? 1 }, () => step.lines).flat()) {
        process.stdout.write(`${line.replaceAll('$THREAD', thread).replaceAll('$TURN', running.id)}\n`)
      }
      return
    case 'news':
      news(step.method, step.params)
      return
    case 'together':
      await Promise.all(step.steps.map((one) => playOne(one, running)))
      return
    case 'listen':
      while (running.steered.length === 0) await new Promise<void>((resolve) => (running.hear = resolve))
      return hear(running)
    case 'fail':
      running.failure = { message: step.message, codexErrorInfo: step.info ?? 'other' }
      return
    case 'hang':
      return new Promise(() => undefined)
  }
}

async function play(steps: readonly FakeStep[], running: Turn): Promise<void> {
  for (const step of steps) await playOne(step, running)
}

async function runTurn(running: Turn, text: string): Promise<void> {
  news('turn/started', { turn: { id: running.id, status: 'inProgress' } })
  const steps = text.startsWith('[{') ? (JSON.parse(text) as FakeStep[]) : [{ do: 'say' as const, text }]
  const how = await Promise.race([play(steps, running), running.stopped.promise])
  const status = how === 'stopped' ? 'interrupted' : running.failure ? 'failed' : 'completed'
  news('turn/completed', { turn: { id: running.id, status, error: running.failure ?? null } })
  turn = undefined
  for (const id of waiting.keys()) news('serverRequest/resolved', { requestId: id })
  waiting.clear()
}

function textOf(params: Record<string, unknown>): string {
  const input = params['input'] as { type: string; text?: string }[]
  if (input.some(({ type }) => type !== 'text')) writeFileSync('prompt.json', JSON.stringify(input))
  return input.flatMap(({ text }) => text ?? []).join('')
}

function threadAs(params: Record<string, unknown>): Record<string, unknown> {
  const names: Record<string, string> = { 'workspace-write': 'workspaceWrite', 'read-only': 'readOnly' }
  const { approvalPolicy, approvalsReviewer, sandbox } = params
  const type = names[String(sandbox)] ?? 'dangerFullAccess'
  settings = { approvalPolicy, approvalsReviewer, sandbox: { type }, ...options.settings }
  return { thread: { id: thread, turns: [] }, model: 'fake-1', ...settings }
}

function answerTo(method: string, params: Record<string, unknown>): Record<string, unknown> | { refusal: string } {
  if (method === options.refuse) return { refusal: 'I like it as it is' }
  switch (method) {
    case 'initialize':
      return { userAgent: 'fake' }
    case 'account/read':
      return { account: null, requiresOpenaiAuth: options.signedOut === true }
    case 'thread/resume':
      return params['threadId'] === thread ? threadAs(params) : { refusal: 'no rollout found' }
    case 'thread/start':
      return threadAs(params)
    case 'thread/settings/update': {
      const { approvalPolicy, approvalsReviewer, sandboxPolicy } = params
      settings = { approvalPolicy, approvalsReviewer, sandbox: sandboxPolicy, ...options.settings }
      const { sandbox, ...rest } = settings
      news('thread/settings/updated', { threadSettings: { ...rest, sandboxPolicy: sandbox, model: 'fake-1' } })
      return {}
    }
    case 'turn/start': {
      const id = `turn-${++turns}`
      turn = { id, stopped: Promise.withResolvers(), steered: [], hear: undefined, failure: undefined }
      const running = turn
      setImmediate(() => void runTurn(running, textOf(params)))
      return { turn: { id, status: 'inProgress' } }
    }
    case 'turn/steer':
      if (!turn || turn.id !== params['expectedTurnId']) return { refusal: 'no active turn to steer' }
      turn.steered.push({ text: textOf(params), clientId: params['clientUserMessageId'] ?? null })
      turn.hear?.()
      return { turnId: turn.id }
    case 'turn/interrupt':
      if (params['threadId'] !== thread) {
        writeFileSync(`stopped-${String(params['threadId'])}-${String(params['turnId'])}`, '')
        return {}
      }
      if (!turn) return { refusal: 'no active turn to interrupt' }
      turn.stopped.resolve('stopped')
      return {}
    case 'thread/backgroundTerminals/list':
      return { data: [...terminals].map(([processId, { item: itemId }]) => ({ itemId, processId })) }
    case 'thread/backgroundTerminals/terminate':
      terminals.get(String(params['processId']))?.child.kill('SIGKILL')
      return { terminated: true }
    default:
      return { refusal: `unknown variant ${method}` }
  }
}

if (options.dieAtStart) {
  process.stderr.write('the config file is broken\n')
  process.exitCode = 3
} else {
  createInterface({ input: process.stdin }).on('line', (line) => {
    const message = JSON.parse(line) as Record<string, unknown>
    const { id, method, params } = message as {
      id?: number | string
      method?: string
      params?: Record<string, unknown>
    }
    if (id === undefined) return
    if (method === undefined) return waiting.get(id)?.(message)
    if (method === options.mute) return
    const result = answerTo(method, params ?? {})
    send('refusal' in result ? { id, error: { code: -32_600, message: result['refusal'] } } : { id, result })
  })
}
