import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentPackageName } from '@hotline/testing/agents/agent-packages'
import { agentPath, installAgent } from '@hotline/testing/agents/install-agent'
import { type ModelServer, startModelServer } from '@hotline/testing/model/model-server'
import { openTempDir } from '@hotline/testing/temp-dir'
import { type Hotline, startHotline } from '../hotline.ts'
import { AgentTalk } from './agent-talk.ts'

/** A person's machine: where an agent finds its login and its settings. */
export interface AgentHome {
  /** HOME, empty and of this test alone. */
  home: string
  /** Where the model is: for Anthropic and Gemini, and with `/v1` for OpenAI. */
  url: string
  openaiUrl: string
}

/** A real agent as tests meet it. */
export interface RealAgent {
  /** What the runner calls it. */
  agent: string
  /** What has to be installed for it; the first one's version is the agent's. */
  packages: readonly AgentPackageName[]
  /** Writes the person's settings below HOME; answers the variables that the person has in their shell. */
  prepare(home: AgentHome): Promise<Record<string, string>> | Record<string, string>
  /** Where its sessions may have to be put to make it ask. */
  mode?: string
}

/** A whole Hotline with one real agent and a scripted model, and nothing of the machine that it runs on. */
export interface AgentPlace extends AsyncDisposable {
  readonly hotline: Hotline
  readonly model: ModelServer
  readonly version: string
  /** Where the folders of its sessions are. */
  readonly work: string
  /** HOME of the agent. */
  readonly home: string
  /** Starts a session in a folder of its own. */
  start: (prompt: string, more?: { unfenced: true }) => Promise<AgentTalk>
}

/** Installs what is needed and starts everything; where it cannot be installed, the answer says why. */
export async function openAgentPlace(real: RealAgent): Promise<AgentPlace | { why: string }> {
  const installed: { binDir: string; version: string }[] = []
  for (const name of real.packages) {
    const found = await installAgent(name)
    if (!found.ok) return { why: found.why }
    installed.push(found)
  }
  const temp = await openTempDir('hotline-agent-')
  const dir = await realpath(temp.path)
  const [home, scratch, work] = ['home', 'tmp', 'work'].map((name) => join(dir, name)) as [string, string, string]
  for (const folder of [home, scratch, work]) await mkdir(folder, { recursive: true, mode: 0o700 })
  const model = await startModelServer()
  const close = async (): Promise<void> => {
    await model[Symbol.asyncDispose]()
    await temp.remove()
  }
  try {
    const env = await real.prepare({ home, url: model.url, openaiUrl: model.openaiUrl })
    const hotline = await startHotline({
      // Some agents refuse to live below the folder for temporary files.
      env: { PATH: agentPath(installed), HOME: home, TMPDIR: scratch, ...env },
    })
    let count = 0
    return {
      hotline,
      model,
      version: installed[0]?.version ?? '',
      work,
      home,
      start: async (prompt, more) => {
        const cwd = join(work, `${(count += 1)}`)
        await mkdir(cwd)
        const session = await hotline.api.start(real.agent, prompt.replaceAll('$CWD', cwd), {
          cwd,
          ...(real.mode === undefined ? {} : { mode: real.mode }),
          ...more,
        })
        return new AgentTalk({ api: hotline.api, model, session, cwd })
      },
      [Symbol.asyncDispose]: async () => {
        await hotline[Symbol.asyncDispose]()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}
