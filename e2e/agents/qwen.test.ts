import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { realAgentSuite } from '../src/agents/real-agent-suite.ts'

realAgentSuite({
  agent: 'qwen',
  packages: ['qwen'],
  prepare: async ({ home, openaiUrl }) => {
    const settings = { privacy: { usageStatisticsEnabled: false }, general: { disableAutoUpdate: true } }
    await mkdir(join(home, '.qwen'))
    await writeFile(join(home, '.qwen', 'settings.json'), JSON.stringify(settings))
    return { OPENAI_API_KEY: 'test', OPENAI_BASE_URL: openaiUrl, OPENAI_MODEL: 'scripted' }
  },
  parallelAsks: 'one by one',
  onFault: { refused: 'tries again', cut: 'goes on', invalid: 'gives up' },
  cannot: {
    modify: 'the protocol has no answer that changes the input',
    usage: 'it tells nothing of it',
  },
})
