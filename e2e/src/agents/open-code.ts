import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RealAgent } from './agent-place.ts'

/** OpenCode, with a model on loopback and nothing that asks other hosts. */
export const openCode: RealAgent = {
  agent: 'opencode',
  packages: ['opencode'],
  prepare: async ({ home, openaiUrl }) => {
    const file = join(home, 'opencode.json')
    const model = {
      name: 'Scripted',
      tool_call: true,
      limit: { context: 100_000, output: 10_000 },
      cost: { input: 1, output: 2 },
    }
    const provider = {
      npm: '@ai-sdk/openai-compatible',
      name: 'Scripted',
      options: { baseURL: openaiUrl, apiKey: 'test' },
      models: { scripted: model },
    }
    const settings = { provider: { scripted: provider }, model: 'scripted/scripted', autoupdate: false }
    await writeFile(file, JSON.stringify(settings))
    return { OPENCODE_CONFIG: file, OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_LSP_DOWNLOAD: '1' }
  },
}
