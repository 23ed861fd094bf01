import { codexAgent } from '../src/agents/codex-home.ts'
import { realAgentSuite } from '../src/agents/real-agent-suite.ts'

realAgentSuite({
  ...codexAgent,
  write: (path, text) => ({
    run: `printf '${text.replaceAll('\n', '\\n')}' > ${path}`,
    with: { sandbox_permissions: 'require_escalated', justification: 'to make a file' },
  }),
  run: (line) => ({
    run: line,
    with: { sandbox_permissions: 'require_escalated', justification: 'to try it' },
  }),
  parallelAsks: 'at once',
  onFault: { refused: 'tries again', cut: 'tries again', invalid: 'gives up' },
  cannot: { modify: 'the protocol has no answer that changes the input' },
})
