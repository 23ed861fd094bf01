import { mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Step } from '@hotline/demo-agent/script'
import { type ChildGuard, guardChildren } from '@hotline/testing/child-guard'
import { openTempDir } from '@hotline/testing/temp-dir'
import type { Supervisor } from '../src/supervisor/supervisor.ts'
import { composeBench, type ComposeOptions } from './compose.ts'
import { filesOver, linkOverCore, type TestLink } from './link-over-core.ts'
import { World } from './world.ts'

export { demoAgent } from './compose.ts'

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

export interface BenchOptions extends Omit<ComposeOptions, 'folder' | 'link' | 'transfer' | 'write'> {
  /** Leaves something behind before the runner starts. */
  before?: (place: { world: World; dataDir: string; cwd: string }) => void
}

/** Starts one and waits until the server knows it. */
export async function openBench(options: BenchOptions = {}): Promise<Bench> {
  const temp = await openTempDir('hotline-runner-')
  const cwd = join(temp.path, 'work')
  const dataDir = join(temp.path, '.hotline')
  mkdirSync(cwd)
  const guard = guardChildren({ directories: [temp.path] })
  const world = new World()
  options.before?.({ world, dataDir, cwd })
  const link = linkOverCore(world)
  const logged: string[] = []
  const transfer = filesOver(world, link)
  const supervisor = composeBench({ ...options, folder: temp.path, link, transfer, write: (line) => logged.push(line) })
  await supervisor.start()
  await supervisor.announced
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopped ??= supervisor.stop(AbortSignal.timeout(20_000))
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
    script: (steps) => writeFile(join(temp.path, 'script.json'), JSON.stringify(steps)),
    touch: (name) => writeFile(join(cwd, name), ''),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop()
      await guard.assertNoSurvivors()
      await temp.remove()
    },
  }
}
