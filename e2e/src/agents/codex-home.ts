import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Intent } from '@hotline/testing/model/script'
import type { RealAgent } from './agent-place.ts'

/** What a person has in codex's settings, with the scripted model as theirs. */
export function codexSettings(openaiUrl: string, more = ''): string {
  return `model = "gpt-5.5"
model_provider = "scripted"
approvals_reviewer = "auto_review"
${more}
[model_providers.scripted]
name = "scripted"
base_url = "${openaiUrl}"
wire_api = "responses"
env_key = "OPENAI_API_KEY"
request_max_retries = 1
stream_max_retries = 1
`
}

/** Codex with the login and settings of a person. Theirs let a model answer for them: that must not hold here. */
export const codexAgent = {
  agent: 'codex',
  packages: ['codex'],
  prepare: async ({ home, openaiUrl }) => {
    const folder = join(home, '.codex')
    await mkdir(folder)
    await writeFile(join(folder, 'config.toml'), codexSettings(openaiUrl))
    return { CODEX_HOME: folder, OPENAI_API_KEY: 'test' }
  },
} as const satisfies RealAgent

/** What makes it ask: a command that says itself that it wants out of its sandbox. */
export const codexAsks = {
  write: (path: string, text: string): Intent => ({
    run: `printf '${text.replaceAll('\n', '\\n')}' > ${path}`,
    with: { sandbox_permissions: 'require_escalated', justification: 'to make a file' },
  }),
  run: (line: string): Intent => ({
    run: line,
    with: { sandbox_permissions: 'require_escalated', justification: 'to try it' },
  }),
}
