import { codexAgent } from '../src/agents/codex-home.ts'
import { realAgentSuite } from '../src/agents/real-agent-suite.ts'

realAgentSuite({
  ...codexAgent,
  agent: 'codex-acp',
  packages: ['codex-acp'],
  // What shall run outside of its sandbox asks; so does every patch.
  write: (path, text) => ({
    run: `printf '%s' '${text}' > '${path}'`,
    with: { sandbox_permissions: 'require_escalated', justification: 'It has to be there.' },
  }),
  run: (line) => ({
    run: line,
    with: { sandbox_permissions: 'require_escalated', justification: 'to try it' },
  }),
  parallelAsks: 'at once',
  denialEndsTurn: true,
  onFault: { refused: 'tries again', cut: 'tries again', invalid: 'gives up' },
  cannot: { modify: 'the protocol has no answer that changes the input' },
})
