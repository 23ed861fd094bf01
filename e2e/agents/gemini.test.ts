import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { realAgentSuite } from '../src/agents/real-agent-suite.ts'

realAgentSuite({
  agent: 'gemini',
  packages: ['gemini'],
  prepare: async ({ home, url }) => {
    const settings = { privacy: { usageStatisticsEnabled: false }, general: { disableAutoUpdate: true } }
    await mkdir(join(home, '.gemini'))
    await writeFile(join(home, '.gemini', 'settings.json'), JSON.stringify(settings))
    return { GEMINI_API_KEY: 'test', GOOGLE_GEMINI_BASE_URL: url, GEMINI_MODEL: 'gemini-2.5-pro' }
  },
  parallelAsks: 'one by one',
  onFault: { refused: 'tries again', cut: 'gives up', invalid: 'gives up' },
  cannot: {
    modify: 'the protocol has no answer that changes the input',
    resume: 'it finds none of its earlier sessions in another process',
  },
})
