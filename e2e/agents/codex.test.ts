import { codexAgent, codexAsks } from '../src/agents/codex-home.ts'
import { realAgentSuite } from '../src/agents/real-agent-suite.ts'

realAgentSuite({
  ...codexAgent,
  ...codexAsks,
  parallelAsks: 'at once',
  onFault: { refused: 'tries again', cut: 'tries again', invalid: 'gives up' },
  cannot: { modify: 'the protocol has no answer that changes the input' },
})
