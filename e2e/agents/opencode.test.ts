import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { realAgentSuite } from '../src/agents/real-agent-suite.ts'

realAgentSuite({
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
  parallelAsks: 'one by one',
  onFault: { refused: 'tries again', cut: 'tries again', invalid: 'gives up' },
  cannot: { modify: 'the protocol has no answer that changes the input' },
})
