import { mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Step } from '@hotline/demo-agent/script'
import { type ChildGuard, guardChildren } from '@hotline/testing/child-guard'
import { openTempDir } from '@hotline/testing/temp-dir'
import { openAcpDriver } from '../src/adapters/acp/acp-driver.ts'
import { ptyDriver } from '../src/adapters/pty/pty-driver.ts'
import { type AgentProfile, builtinProfiles } from '../src/agents.ts'
import { openLog } from '../src/log.ts'
import { openLocalHolder } from '../src/process/local-holder.ts'
import { Supervisor } from '../src/supervisor/supervisor.ts'
import { profileOf } from './profile-of.ts'
import { linkOverCore, type TestLink } from './link-over-core.ts'
import { World } from './world.ts'

export const demoAgent: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../bin/demo-agent.js', import.meta.resolve('@hotline/demo-agent/main'))),
]

/** A runner with a server of memory, in a folder of its own. */
export interface Bench extends AsyncDisposable {
  readonly world: World
  readonly link: TestLink
  readonly supervisor: Supervisor
  /** For agents to work in; removed at the end. */
  readonly cwd: string
  readonly dataDir: string
  readonly guard: ChildGuard
  /** What the runner wrote to its own log. */
  readonly logged: string[]
  /** What the agent `scripted` plays for each prompt: for scripts that are longer than a message. */
  script(steps: readonly Step[]): Promise<void>
  /** Makes a file in the agents' folder. */
  touch(name: string): Promise<void>
  /** Stops the runner as SIGTERM does. */
  stop(): Promise<void>
}

export interface BenchOptions {
  profiles?: readonly AgentProfile[]
  environment?: Readonly<Record<string, string | undefined>>
  spoolBytes?: number
  stopGraceMs?: number
}

/** Starts one and waits until the server knows it. */
export async function openBench(options: BenchOptions = {}): Promise<Bench> {
  const temp = await openTempDir('hotline-runner-')
  const cwd = join(temp.path, 'work')
  const dataDir = join(temp.path, 'data')
  mkdirSync(cwd)
  const guard = guardChildren({ directories: [temp.path] })
  const world = new World()
  const link = linkOverCore(world)
  const logged: string[] = []
  const log = openLog((line) => logged.push(line), process.env['HOTLINE_DEBUG'] === undefined ? [] : ['*'])
  const scriptFile = join(temp.path, 'script.json')
  const scripted = { ...profileOf('scripted', {}), argv: [...demoAgent, '--script', scriptFile] }
  const profiles = [...builtinProfiles([...demoAgent, '--pace', '0']), scripted, ...(options.profiles ?? [])]
  const supervisor = new Supervisor(
    {
      link,
      holder: openLocalHolder({ folder: join(dataDir, 'children') }),
      log,
      profiles: new Map(profiles.map((profile) => [profile.agent, profile])),
      drivers: { acp: openAcpDriver({ version: '0.0.0' }), pty: ptyDriver },
      environment: options.environment ?? { PATH: process.env['PATH'], HOME: temp.path, LANG: 'C.UTF-8' },
      sessionsFolder: join(dataDir, 'sessions'),
      scratchFolder: join(dataDir, 'scratch'),
      spoolBytes: options.spoolBytes ?? 8 * 1024 * 1024,
      stopGraceMs: options.stopGraceMs ?? 2_000,
    },
    { name: 'bench', version: '0.0.0', platform: process.platform },
  )
  await supervisor.start()
  await supervisor.announced
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopped ??= supervisor.stop(AbortSignal.timeout(5_000))
    return stopped
  }
  return {
    world,
    link,
    supervisor,
    cwd,
    dataDir,
    guard,
    logged,
    script: (steps) => writeFile(scriptFile, JSON.stringify(steps)),
    touch: (name) => writeFile(join(cwd, name), ''),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop()
      await guard.assertNoSurvivors()
      await temp.remove()
    },
  }
}
