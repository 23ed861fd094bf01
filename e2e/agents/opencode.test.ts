import { openCode } from '../src/agents/open-code.ts'
import { realAgentSuite } from '../src/agents/real-agent-suite.ts'

realAgentSuite({
  ...openCode,
  parallelAsks: 'one by one',
  onFault: { refused: 'tries again', cut: 'tries again', invalid: 'gives up' },
  cannot: { modify: 'the protocol has no answer that changes the input' },
})
