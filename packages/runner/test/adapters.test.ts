import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { scriptPrompt, type Step } from '@hotline/demo-agent/script'
import { type AdapterUnderTest, adapterContract } from '@hotline/testing/adapter-contract'
import { openAcpDriver } from '../src/adapters/acp/acp-driver.ts'
import type { AgentSession, StartSpec } from '../src/adapters/adapter.ts'
import { openCodexDriver } from '../src/adapters/codex/codex-driver.ts'
import { logDriver } from '../src/adapters/log/log-driver.ts'
import { pipeDriver } from '../src/adapters/pipe/pipe-driver.ts'
import { ptyDriver } from '../src/adapters/pty/pty-driver.ts'
import { runVariable } from '../src/process/environment.ts'
import { openLocalHolder } from '../src/process/local-holder.ts'
import { demoAgent } from './compose.ts'
import type { FakeStep } from './fake-codex.ts'
import { codexProfileOf, profileOf } from './profile-of.ts'

// What a run started is found by its mark: two runs of this file at once must not end each other's.
const run = randomBytes(16).toString('hex')
const env = { PATH: process.env['PATH'] ?? '', [runVariable]: run }
const openHolder = (folder: string): ReturnType<typeof openLocalHolder> => openLocalHolder({ folder })
const specOf = (cwd: string, argv: readonly string[]): StartSpec => ({
  session: 's1',
  argv,
  cwd,
  env,
  run,
  asking: { by: 'mode', modes: ['ask'] },
})

const play = (agent: AgentSession, ...steps: Step[]): Promise<void> => agent.prompt('t1', scriptPrompt(steps))
const write = (path: string): Step => ({ do: 'write', path, content: '' })

const acp: AdapterUnderTest = {
  driver: openAcpDriver({ version: '0.0.0' }),
  openHolder,
  spec: (cwd, what) => {
    if (what === 'missing') return specOf(cwd, ['/nowhere/program'])
    return specOf(
      cwd,
      what === 'works' ? demoAgent : (profileOf('mute', { mute: 'initialize' }).argv as readonly string[]),
    )
  },
  flood: (agent, lines) => {
    const text = Array.from({ length: lines }, (_, n) => `line ${n + 1}\n`).join('')
    return play(agent, { do: 'say', text, chunks: lines }, write('done'))
  },
  exit: (agent, code) => play(agent, { do: 'die', code }),
  spawnChild: (agent) => play(agent, { do: 'spawnChild', argv: ['sleep', '1000'], detached: true, pidFile: 'child' }),
  listen: (agent) => play(agent, { do: 'listen' }),
  ask: (agent) =>
    play(agent, { do: 'ask', title: 'Go', kind: 'execute', input: { command: 'x' }, onAllow: [write('allowed')] }),
}

const v2Front = fileURLToPath(new URL('v2-front.ts', import.meta.url))
/** The same agent, in the words of version 2. */
const acp2: AdapterUnderTest = {
  ...acp,
  spec: (cwd, what) => {
    const spec = acp.spec(cwd, what)
    return what === 'works' ? { ...spec, argv: [process.execPath, v2Front, ...spec.argv] } : spec
  },
}

const act = (agent: AgentSession, ...steps: FakeStep[]): Promise<void> => agent.prompt('t1', JSON.stringify(steps))

const codex: AdapterUnderTest = {
  driver: openCodexDriver({ version: '0.0.0' }),
  openHolder,
  spec: (cwd, what) => {
    const argv = codexProfileOf('codex', what === 'slow' ? { mute: 'initialize' } : {}).argv as readonly string[]
    return {
      ...specOf(cwd, what === 'missing' ? ['/nowhere/program'] : argv),
      asking: { by: 'mode', modes: ['workspace-write'] },
      allowAlways: 'session',
    }
  },
  flood: (agent, lines) => {
    const text = Array.from({ length: lines }, (_, n) => `line ${n + 1}\n`).join('')
    return act(agent, { do: 'say', text, chunks: lines }, { do: 'write', path: 'done' })
  },
  exit: (agent, code) => act(agent, { do: 'die', code }),
  spawnChild: (agent) => act(agent, { do: 'spawn', argv: ['sleep', '1000'], pidFile: 'child' }),
  listen: (agent) => act(agent, { do: 'listen' }),
  ask: (agent) =>
    act(agent, { do: 'command', item: 'c1', command: 'x', ask: {}, onAllow: [{ do: 'write', path: 'allowed' }] }),
}

const typed = (agent: AgentSession, line: string): Promise<void> => agent.prompt('t1', line)

const pty: AdapterUnderTest = {
  driver: ptyDriver,
  openHolder,
  spec: (cwd, what) =>
    specOf(cwd, what === 'missing' ? ['/nowhere/program'] : ['/bin/sh', '-c', 'stty -echo; PS1=; exec sh']),
  flood: (agent, lines) =>
    typed(agent, `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo line $i; done; touch done`),
  exit: (agent, code) => typed(agent, `exit ${code}`),
  spawnChild: (agent) => typed(agent, 'setsid sleep 1000 & nohup sleep 1001 >/dev/null 2>&1 & touch child'),
}

const pipe: AdapterUnderTest = {
  driver: pipeDriver,
  openHolder,
  spec: (cwd, what) => specOf(cwd, what === 'missing' ? ['/nowhere/program'] : ['/bin/sh']),
  flood: (agent, lines) =>
    typed(agent, `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo line $i; done; touch done`),
  exit: (agent, code) => typed(agent, `exit ${code}`),
  spawnChild: (agent) => typed(agent, 'setsid sleep 1000 & nohup sleep 1001 >/dev/null 2>&1 & touch child'),
}

/** What writes to the file that an agent follows. */
const fileOf = new Map<AgentSession, string>()
const log: AdapterUnderTest = {
  driver: {
    ...logDriver,
    start: async (spec, holder, signal) => {
      const agent = await logDriver.start(spec, holder, signal)
      fileOf.set(agent, spec.file?.path ?? '')
      return agent
    },
  },
  openHolder,
  spec: (cwd, what) => ({
    ...specOf(cwd, []),
    file: { path: what === 'missing' ? cwd : join(cwd, 'log'), from: 'start' },
  }),
  flood: async (agent, lines) => {
    const file = fileOf.get(agent) ?? ''
    const script = 'i=0; while [ $i -lt $1 ]; do i=$((i+1)); echo line $i; done >> "$2"; touch "$3/done"'
    await promisify(execFile)('/bin/sh', ['-c', script, 'sh', String(lines), file, dirname(file)])
  },
}

adapterContract('acp', acp)
adapterContract('acp, version 2', acp2)
adapterContract('codex', codex)
adapterContract('pty', pty)
adapterContract('pipe', pipe)
adapterContract('log', log)
