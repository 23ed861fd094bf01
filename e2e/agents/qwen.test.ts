import { realAgentSuite } from '../src/agents/real-agent-suite.ts'

realAgentSuite({
  agent: 'qwen',
  packages: ['qwen'],
  prepare: ({ openaiUrl }) => ({
    OPENAI_API_KEY: 'test',
    OPENAI_BASE_URL: openaiUrl,
    OPENAI_MODEL: 'scripted',
  }),
  parallelAsks: 'one by one',
  onFault: { refused: 'tries again', cut: 'goes on' },
  cannot: {
    modify: 'the protocol has no answer that changes the input',
    usage: 'it tells nothing of it',
  },
})
