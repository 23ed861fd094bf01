import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { realAgentSuite } from '../src/agents/real-agent-suite.ts'

realAgentSuite({
  agent: 'claude-acp',
  packages: ['claude-agent-acp'],
  prepare: async ({ home, url }) => {
    await mkdir(join(home, '.claude'))
    const env = {
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      CLAUDE_CODE_MAX_RETRIES: '2',
    }
    await writeFile(join(home, '.claude', 'settings.json'), JSON.stringify({ env }))
    return { ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: 'test' }
  },
  parallelAsks: 'one by one',
  onFault: { refused: 'tries again', cut: 'tries again', invalid: 'gives up' },
  cannot: { modify: 'the protocol has no answer that changes the input' },
})
