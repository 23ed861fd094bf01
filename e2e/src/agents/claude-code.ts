import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RealAgent } from './agent-place.ts'

/** Claude Code by its own program, with a model on loopback and nothing that asks other hosts. */
export const claudeCode: RealAgent = {
  agent: 'claude',
  packages: ['claude-code'],
  prepare: ({ url }) => ({
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: 'test',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    CLAUDE_CODE_MAX_RETRIES: '2',
    DISABLE_AUTOUPDATER: '1',
    DISABLE_TELEMETRY: '1',
    // Otherwise it looks for some of its tools first, and a script cannot.
    ENABLE_TOOL_SEARCH: 'false',
  }),
}

/** True when one of its transcripts holds these words. */
export function hasWritten(home: string, words: string): boolean {
  const files = globSync(join(home, '.claude/projects/*/*.jsonl'))
  return files.some((file) => readFileSync(file, 'utf8').includes(words))
}
