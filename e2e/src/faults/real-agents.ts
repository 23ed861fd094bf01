import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { agentPath, installAgent } from '@hotline/testing/agents/install-agent'
import { startModelServer } from '@hotline/testing/model/model-server'
import { claudeCode } from '../agents/claude-code.ts'
import { codexAgent } from '../agents/codex-home.ts'

/** Claude Code and codex as people have them, with a scripted model. */
export interface RealAgents extends AsyncDisposable {
  /** What a runner is started with to find them; undefined where they are not to be had. */
  readonly env: Readonly<Record<string, string>> | undefined
  /** Names and versions, or why there are none. */
  readonly what: string
}

/** Installs them where they are not there yet. */
export async function openRealAgents(dir: string): Promise<RealAgents> {
  const installed: { binDir: string; version: string }[] = []
  for (const name of ['claude-code', 'codex'] as const) {
    const found = await installAgent(name)
    if (!found.ok) return { env: undefined, what: found.why, [Symbol.asyncDispose]: () => Promise.resolve() }
    installed.push(found)
  }
  const home = join(dir, 'home')
  const scratch = join(dir, 'tmp')
  for (const folder of [home, scratch]) await mkdir(folder, { mode: 0o700 })
  const model = await startModelServer()
  const of = { home, url: model.url, openaiUrl: model.openaiUrl }
  const env = { ...(await claudeCode.prepare(of)), ...(await codexAgent.prepare(of)) }
  return {
    env: { PATH: agentPath(installed), HOME: home, TMPDIR: scratch, ...env },
    what: `with ${installed.map(({ version }, at) => `${['Claude Code', 'codex'][at]} ${version}`).join(' and ')}`,
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  }
}
