import { claudeCode, hasWritten } from '../src/agents/claude-code.ts'
import { realAgentSuite } from '../src/agents/real-agent-suite.ts'

realAgentSuite({
  ...claudeCode,
  hasWritten,
  parallelAsks: 'one by one',
  onFault: { refused: 'tries again', cut: 'tries again', invalid: 'gives up' },
})
