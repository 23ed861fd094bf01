import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { realAgentSuite } from '../src/agents/real-agent-suite.ts'

realAgentSuite({
  agent: 'codex-acp',
  packages: ['codex-acp'],
  prepare: async ({ home, openaiUrl }) => {
    await mkdir(join(home, '.codex'))
    const lines = [
      // A name that it knows comes with its tools.
      'model = "gpt-5.5"',
      'model_provider = "scripted"',
      '[model_providers.scripted]',
      'name = "scripted"',
      `base_url = "${openaiUrl}"`,
      'wire_api = "responses"',
      'env_key = "OPENAI_API_KEY"',
      'request_max_retries = 2',
      'stream_max_retries = 2',
    ]
    await writeFile(join(home, '.codex', 'config.toml'), lines.join('\n'))
    return { OPENAI_API_KEY: 'test' }
  },
  mode: 'read-only',
  // What shall run outside of its sandbox asks; so does, in this mode, every patch.
  write: (path, text) => ({
    run: `printf '%s' '${text}' > '${path}'`,
    with: { sandbox_permissions: 'require_escalated', justification: 'It has to be there.' },
  }),
  parallelAsks: 'at once',
  denialEndsTurn: true,
  onFault: { refused: 'tries again', cut: 'tries again' },
  cannot: { modify: 'the protocol has no answer that changes the input' },
})
