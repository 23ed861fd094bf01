import { copilotAgent } from '../src/agents/copilot-agent.ts'
import { realAgentSuite } from '../src/agents/real-agent-suite.ts'

realAgentSuite({
  ...copilotAgent,
  parallelAsks: 'at once',
  onFault: { refused: 'tries again', cut: 'tries again', invalid: 'is silent' },
  cannot: { modify: 'the protocol has no answer that changes the input' },
})
