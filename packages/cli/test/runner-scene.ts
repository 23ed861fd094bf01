import { type ChildGuard, guardChildren } from '@hotline/testing/child-guard'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { type HotlineProcess, startHotlineProcess } from './hotline-process.ts'

/** A server, a runner that the command line has started, and a home for both in a folder of the test. */
export interface RunnerScene extends AsyncDisposable {
  readonly live: LiveServer
  readonly dir: TempDir
  readonly guard: ChildGuard
  /** The environment of its commands. */
  readonly env: Readonly<Record<string, string>>
  readonly start: (args: readonly string[]) => HotlineProcess
  /** One command to its end, without input. */
  readonly run: (...args: string[]) => Promise<{ code: number | null; out: string; err: string }>
}

/** `prepare`: what has to be there before the runner begins. */
export async function openRunnerScene(prepare?: (live: LiveServer) => void): Promise<RunnerScene> {
  const live = await startLiveServer()
  const dir = await openTempDir()
  const guard = guardChildren({ directories: [dir.path] })
  const env = {
    HOME: dir.path,
    HOTLINE_DATA_DIR: live.dataDir,
    HOTLINE_URL: live.url,
    HOTLINE_TOKEN: live.token,
    ...guard.environment,
  }
  prepare?.(live)
  const start = (args: readonly string[]): HotlineProcess => startHotlineProcess(args, env)
  const run: RunnerScene['run'] = async (...args) => {
    const hotline = start(args)
    hotline.endInput()
    return await hotline.ended
  }
  const runner = start(['--json', 'up', '--only', 'runner'])
  await waitFor(async () => (await run('agents')).out.includes('without a terminal'), { what: 'a runner' })
  return {
    live,
    dir,
    guard,
    env,
    start,
    run,
    [Symbol.asyncDispose]: async () => {
      runner.child.kill('SIGTERM')
      await runner.ended
      await live[Symbol.asyncDispose]()
      await guard.assertNoSurvivors()
      await dir.remove()
    },
  }
}
