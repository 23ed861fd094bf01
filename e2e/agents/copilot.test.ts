import { realAgentSuite } from '../src/agents/real-agent-suite.ts'

realAgentSuite({
  agent: 'copilot',
  packages: ['copilot'],
  prepare: ({ openaiUrl }) => ({
    COPILOT_OFFLINE: 'true',
    COPILOT_PROVIDER_BASE_URL: openaiUrl,
    COPILOT_PROVIDER_API_KEY: 'test',
    COPILOT_PROVIDER_TYPE: 'openai',
    COPILOT_MODEL: 'gpt-5',
  }),
  parallelAsks: 'at once',
  onFault: { refused: 'tries again', cut: 'tries again', invalid: 'is silent' },
  cannot: { modify: 'the protocol has no answer that changes the input' },
})
