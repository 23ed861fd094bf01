import { execFile } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Step } from '@hotline/demo-agent/script'
import { openApprovals, type SessionState } from '@hotline/core/session/state'
import { findProgram } from '@hotline/runner/process/find-program'
import { LineClient } from '@hotline/testing/line-client'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Hotline, startHotline } from '../src/hotline.ts'
import { type SeededSecret, seedSecrets, spoken, traces } from '../src/seeded-secrets.ts'

/** Files whose only content is a secret of Hotline's own. */
const secretFiles = ['cli-token', 'runner-key', 'bootstrap-code', 'signing-keys']

/** What the programs of an agent do at its desk, with the words of a file. */
const deskProgram = `
import { readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
const text = readFileSync(process.argv[2], 'utf8')
const { socket, token } = JSON.parse(readFileSync(process.env.HOTLINE_SESSION, 'utf8'))
console.log('The desk: ' + token)
const line = createConnection(socket)
let heard = ''
line.on('data', (bytes) => (heard += bytes))
const asks = {
  notify: { text },
  ask_human: { text: text.slice(0, 9000), schema: { type: 'object', properties: { a: { type: 'string', description: text } } } },
  request_approval: { tool: 'x', title: 'Go on? ' + text.slice(0, 400), input: text, reason: text.slice(0, 1900), takes: 'changed' },
  submit_draft: { note: text.slice(0, 1900) },
  complete_goal: { summary: text.slice(0, 1900) },
}
line.write(JSON.stringify({ token }) + '\\n')
let id = 0
for (const [method, params] of Object.entries(asks)) {
  line.write(JSON.stringify({ id: (id += 1), method, params }) + '\\n')
  while (heard.split('\\n').length <= id) await new Promise((resolve) => line.once('data', resolve))
}
line.end()
`

/** An agent that refuses to begin, or leaves its mode and does not go back, and says its secrets as it does. */
const rudeAgent = `
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
const [, , how, file] = process.argv
const text = readFileSync(file, 'utf8').slice(0, 1900)
const say = (line) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...line }) + '\\n')
const modes = { currentModeId: 'ask', availableModes: [{ id: 'ask', name: 'Ask' }] }
const results = { initialize: { protocolVersion: 1, agentCapabilities: {} }, 'session/new': { sessionId: 's', modes } }
let prompted = false
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method } = JSON.parse(line)
  if (method === 'session/prompt') {
    prompted = true
    const update = { sessionUpdate: 'current_mode_update', currentModeId: process.env.OPENAI_API_KEY }
    say({ method: 'session/update', params: { sessionId: 's', update } })
    continue
  }
  const isRefused = (how === 'refuses' && method === 'session/new') || prompted
  say(isRefused ? { id, error: { code: -32000, message: text } } : { id, result: results[method] ?? {} })
}
`

const seed = randomSeed('secrets')
const seeded = seedSecrets(seededRandom(seed))
let dir: TempDir
let work: string
let hotline: Hotline
/** What nobody shall find, by the secret that it is of. */
const hidden = new Map<string, readonly string[]>()
/** Where it is looked for. */
const places: [where: string, text: string][] = []
const sessions: string[] = []

const hide = (secret: SeededSecret): void => void hidden.set(secret.name, traces(secret))
const hideToken = (name: string, text: string): void =>
  hide({ name, value: text, cores: [text.split('_').at(-2) ?? text] })

/** Says it in every way, each on a line. */
const told = (): string => {
  const found = ['cli-token', 'runner-key'].map((file) => readFileSync(join(hotline.dataDir, file), 'utf8').trim())
  return [...seeded.flatMap((secret) => spoken(secret)), ...found].join('\n')
}

function plant(name: string, text: string): string {
  const file = join(dir.path, name)
  writeFileSync(file, text)
  return file
}

function plantProfile(id: string, lines: readonly string[]): void {
  const env = `env: [${seeded.map(({ name }) => name).join(', ')}]`
  writeFileSync(join(hotline.dataDir, 'agents', `${id}.yaml`), [`name: ${id}`, ...lines, env, ''].join('\n'), {
    mode: 0o600,
  })
}

const commandOf = (...argv: string[]): string => `command: ${JSON.stringify(argv)}`
const programOf = (script: string): string[] => [
  `command: ["sh", ${JSON.stringify(script)}]`,
  'interactive:',
  '  enabled: true',
]

/** The command line of Hotline, as somebody at this machine uses it. */
async function cli(...args: string[]): Promise<void> {
  const bin = join(import.meta.dirname, '../../packages/cli/bin/hotline.js')
  const env = { PATH: process.env['PATH'], HOME: dir.path, HOTLINE_DATA_DIR: hotline.dataDir, HOTLINE_URL: hotline.url }
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [bin, ...args], { env, maxBuffer: 2 ** 28 })
  places.push([`hotline ${args.join(' ')}`, stdout + stderr])
}

/** What the server answers, as its bytes. */
async function answer(path: string): Promise<string> {
  const token = readFileSync(join(hotline.dataDir, 'cli-token'), 'utf8').trim()
  const response = await fetch(new URL(path, hotline.url), { headers: { authorization: `Bearer ${token}` } })
  const text = await response.text()
  places.push([path, text])
  return text
}

/** The same as server-sent events, up to the last one that there is. */
async function followUntil(session: string, last: number): Promise<void> {
  const token = readFileSync(join(hotline.dataDir, 'cli-token'), 'utf8').trim()
  const ending = new AbortController()
  const url = new URL(`/api/sessions/${session}/stream?after=0`, hotline.url)
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal: ending.signal })
  let text = ''
  for await (const bytes of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += bytes
    if (new RegExp(String.raw`"seq":${last}\b`).test(text)) break
  }
  ending.abort()
  places.push([`the stream of ${session}`, text])
}

/** Answers whatever is asked, until the session is as wanted. */
async function answerUntil(session: string, what: string, check: (state: SessionState) => boolean): Promise<void> {
  const stream = `session:${session}`
  const { api } = hotline
  const done = new Set<string>()
  const look = async (): Promise<boolean> => {
    const state = await api.state(session)
    for (const { approval, digest } of openApprovals(state)) {
      if (done.has(approval)) continue
      done.add(approval)
      await lookAround(session)
      await api.command(stream, 'approval.decide', { approval, digest, verdict: 'allow' })
    }
    for (const { question } of state.questions) {
      if (done.has(question)) continue
      done.add(question)
      await api.command(stream, 'question.answer', { question, action: 'decline' })
    }
    const { draft } = state
    if (draft?.phase === 'ready' && !done.has(draft.draft)) {
      done.add(draft.draft)
      await cli('changes', session)
      await cli('changes', session, '--keep-all', '--yes')
    }
    return check(state)
  }
  await waitFor(look, { deadlineMs: 120_000, what })
}

/** Everything that can be asked of a session while its agent is there. */
async function lookAround(session: string): Promise<void> {
  const evidence = `/api/sessions/${session}/evidence`
  await answer(evidence)
  await waitFor(async () => (await answer(evidence)).includes('"tree":{'), { what: 'processes' }).catch(() => undefined)
  for (const args of [['ps'], ['ls'], ['asks'], ['status', session]]) {
    await cli(...args)
    await cli('--json', ...args)
  }
}

async function start(agent: string, prompt = ''): Promise<string> {
  const session = await hotline.api.start(agent, prompt, { cwd: work, unasked: true })
  sessions.push(session)
  return session
}

const isOver = ({ status }: SessionState): boolean => ['completed', 'failed', 'interrupted', 'aborted'].includes(status)

beforeAll(async () => {
  dir = await openTempDir('hotline-handed-')
  work = join(dir.path, 'work')
  mkdirSync(work)
  hotline = await startHotline({
    env: { ...Object.fromEntries(seeded.map(({ name, value }) => [name, value])), HOTLINE_DEBUG: '*' },
  })
  mkdirSync(join(hotline.dataDir, 'agents'), { recursive: true, mode: 0o700 })
  for (const secret of seeded) hide(secret)
  for (const file of ['cli-token', 'runner-key'])
    hideToken(file, readFileSync(join(hotline.dataDir, file), 'utf8').trim())
  const demo = join(import.meta.dirname, '../../packages/demo-agent/bin/demo-agent.js')
  const program = seeded.find(({ name }) => name === 'PROGRAM_KEY')?.value ?? ''
  const sleep = join(work, program)
  copyFileSync(findProgram('sleep', process.env['PATH']) ?? '', sleep)
  chmodSync(sleep, 0o755)
  const text = told()
  const file = plant('told.txt', `${text}\n`)
  const half = plant('half.txt', `${text.slice(-16_300)}\n`)
  const desk = plant('desk.mjs', deskProgram)
  const noted = seeded.map(({ name, value }) => `${name} is ${value}`).join('\n')
  const notes = plant('notes.txt', noted.slice(-9_000))
  const input = { command: text, nested: { list: [text], [seeded[0]?.value ?? '']: 1 } }
  const script: Step[] = [
    { do: 'stderr', text: `${text}\n` },
    { do: 'think', text, chunks: 211 },
    { do: 'say', text, chunks: 997 },
    { do: 'plan', entries: seeded.slice(0, 20).map(({ value }) => ({ content: `use ${value}` })) },
    ...seeded.map(({ value }): Step => ({
      do: 'tool',
      title: `${'x'.repeat(485)}${value}`,
      kind: 'fetch',
      input: { value },
      output: value,
    })),
    { do: 'tool', title: 'all', kind: 'execute', input, output: text },
    { do: 'spawnChild', argv: [sleep, '60'] },
    { do: 'run', argv: ['cat', file] },
    { do: 'run', argv: ['cat', half] },
    { do: 'run', argv: ['env'] },
    {
      do: 'run',
      argv: ['sh', '-c', 'while read -r line; do printf "%s\\n" "$line"; done < "$1" >&2; exit 3', 'sh', notes],
    },
    { do: 'write', path: 'notes.txt', content: text },
    { do: 'write', path: `${seeded[1]?.value}.txt`, content: 'x' },
    { do: 'write', path: 'notes.txt', content: `${noted}\n${text}` },
    { do: 'run', argv: [process.execPath, desk, notes] },
    { do: 'ask', title: `${'x'.repeat(480)}${seeded[0]?.value}`, kind: 'execute', input },
    {
      do: 'ask',
      title: text,
      kind: 'edit',
      input: { long: text.repeat(8) },
      onAllow: [{ do: 'say', text: 'Allowed.' }],
    },
    {
      do: 'question',
      message: noted,
      schema: { type: 'object', properties: { a: { type: 'string', title: noted.slice(0, 900) } } },
    },
    { do: 'error', message: text.slice(0, 3_000) },
  ]
  plantProfile('keyed', [
    'extends: demo',
    commandOf(process.execPath, demo, '--pace', '0', '--script', plant('script.json', JSON.stringify(script))),
  ])
  plantProfile('broken', ['extends: demo', commandOf('sh', plant('broken.sh', `cat '${half}' >&2; exit 3\n`))])
  const rude = plant('rude.mjs', rudeAgent)
  plantProfile('refusing', ['extends: demo', commandOf(process.execPath, rude, 'refuses', file)])
  plantProfile('straying', ['extends: demo', commandOf(process.execPath, rude, 'strays', file)])
  const loud = plant(
    'loud.sh',
    `cat '${file}'; env; cat '${file}' >&2; printf '%s' "$OPENAI_API_KEY" | cut -c1-9 | tr -d '\\n'; sleep 0.5; printf '%s\\n' "$OPENAI_API_KEY" | cut -c10-\n`,
  )
  plantProfile('piped', [...programOf(loud), '  output_capture: pipe'])
  plantProfile('screened', [
    ...programOf(
      plant(
        'screened.sh',
        `sh '${loud}'; for round in $(seq 80); do echo "$round $OPENAI_API_KEY"; sleep 0.06; done; read -r line\n`,
      ),
    ),
    '  output_capture: pty',
  ])
  // What a profile comes to name reaches the machine soon after the profile itself; here all of it is to be there at once.
  await hotline.interrupt()
  await hotline.restart()
})
afterAll(async () => {
  await hotline[Symbol.asyncDispose]()
  await dir.remove()
})

describe(`what agents are handed (seed ${seed})`, () => {
  it('[T44] [R20] is said by them in every way that there is', async () => {
    const { api } = hotline
    expect(hidden.size).toBeGreaterThanOrEqual(28)
    const keyed = await start('keyed', 'Say it.')
    await answerUntil(keyed, 'the end of its turn', ({ counts, turn, draft }) => counts.turns === 1 && !turn && !draft)
    await api.command(`session:${keyed}`, 'undo.plan', {})
    await api.until(keyed, 'a plan of the undo', ({ undo }) => undo !== undefined)
    for (const agent of ['broken', 'refusing', 'straying', 'piped'])
      await answerUntil(await start(agent, 'Go.'), `the end of ${agent}`, isOver)
    const notes = await Promise.all(
      sessions.slice(2, 4).map(async (session) => JSON.stringify(await api.events(session))),
    )
    expect(notes[0]).toMatch(/"to":"failed","reason":"start_failed".*\[redacted:ANTHROPIC_API_KEY\]/)
    expect(notes[1]).toMatch(/"to":"failed","reason":"adapter_error".*\[redacted:OPENAI_API_KEY\]/)
    const screened = await start('screened')
    await waitFor(async () => (await api.events(screened)).some(({ type }) => type === 'screen.saved'), {
      what: 'a screen',
    })
    await lookAround(screened)
  })

  it('[T44] is in nothing that anybody can read of it', async () => {
    const { api } = hotline
    const token = readFileSync(join(hotline.dataDir, 'cli-token'), 'utf8').trim()
    for (const session of sessions) {
      const events = await api.events(session)
      places.push([`the events of ${session}`, JSON.stringify(events)])
      const digests = JSON.stringify(events).match(/(?<="content":\{"digest":")[0-9a-f]{64}/g) ?? []
      for (const digest of digests) await answer(`/api/sessions/${session}/content/${digest}`)
      await answer(`/api/sessions/${session}`)
      await answer(`/api/sessions/${session}/transcript`)
      await followUntil(session, events.length)
      await cli('logs', session)
      await cli('--json', 'logs', session)
      await cli('checkpoints', session)
      await using line = new LineClient(hotline.url, session, token)
      await line.opened()
      line.command('status', 'r1')
      await line.next(({ request_id }) => request_id === 'r1')
      places.push([`the line of ${session}`, JSON.stringify(line.heard)])
    }
    for (const path of ['/api/sessions', '/api/agents', '/metrics', '/api/ws/stats', '/api/me']) await answer(path)
    const copy = join(dir.path, 'copy')
    await cli('backup', copy)
    await hotline.interrupt()
    places.push(['what was printed', hotline.printed.replaceAll(hotline.bootstrapLink, '')])
    for (const folder of [hotline.dataDir, copy]) places.push(...filesIn(folder))
    // They did say them.
    const everything = places.map(([, text]) => text).join('\n')
    for (const { name } of seeded) expect(everything.includes(`[redacted:${name}]`), name).toBe(true)
    expect(everything.includes('[redacted:a key of Hotline]')).toBe(true)
    expect(everything.includes('[redacted:of this session]')).toBe(true)
    const found = new Set<string>()
    for (const [name, marks] of hidden) {
      for (const [where, text] of places) {
        const mark = marks.find((piece) => text.includes(piece))
        if (mark === undefined) continue
        const at = text.indexOf(mark)
        found.add(`${name} in ${where}: …${text.slice(Math.max(0, at - 80), at + 60)}…`)
      }
    }
    expect([...found].join('\n')).toBe('')
  })
})

/** What lies in a folder, as bytes that can be searched; not what is for its owner alone, and the agents' own folders. */
function filesIn(folder: string): [where: string, text: string][] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(
      (path) => !secretFiles.includes(path) && !path.startsWith('scratch/') && statSync(join(folder, path)).isFile(),
    )
    .map((path) => [`the file ${path}`, readFileSync(join(folder, path), 'latin1')])
}
