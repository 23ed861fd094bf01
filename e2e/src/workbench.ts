import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PageScene } from './page-scene.ts'
import { type RunnerProcess, startRunnerProcess } from './runner-process.ts'

/** A machine for a page: a runner below a folder, with a home of its own and the demonstration agent as "Guide". */
export function startWorkbench({ live }: PageScene, folder: string): Promise<RunnerProcess> {
  for (const one of ['data/agents', 'key', 'home']) mkdirSync(join(folder, one), { recursive: true, mode: 0o700 })
  const key = readFileSync(join(live.dataDir, 'runner-key'))
  writeFileSync(join(folder, 'key/runner-key'), key, { mode: 0o600 })
  writeFileSync(join(folder, 'data/agents/guide.yaml'), 'extends: demo\nname: Guide\n', { mode: 0o600 })
  const env = { PATH: '/usr/bin:/bin', HOME: join(folder, 'home'), HOTLINE_RUNNER_NAME: 'workbench' }
  return startRunnerProcess({ url: live.url, serverDir: join(folder, 'key'), dir: join(folder, 'data'), env })
}
