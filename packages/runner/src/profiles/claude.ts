import { logins } from './logins.ts'
import type { AgentProfile } from './profile.ts'
import { anthropic, network } from './variables.ts'

/** Claude Code by its own program, without anything in between. */
export const claudeProfiles: readonly AgentProfile[] = [
  {
    agent: 'claude',
    name: 'Claude Code',
    description: 'Claude Code, with its login and settings on that machine',
    adapter: 'claude',
    argv: ['claude'],
    env: [
      ...network,
      ...anthropic,
      'CLAUDE_CODE_OAUTH_TOKEN',
      'CLAUDE_CONFIG_DIR',
      'CLAUDE_CODE_USE_BEDROCK',
      'AWS_PROFILE',
      'AWS_REGION',
      'CLAUDE_CODE_USE_VERTEX',
      'ANTHROPIC_VERTEX_PROJECT_ID',
      'CLOUD_ML_REGION',
      'CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC',
      'CLAUDE_CODE_MAX_RETRIES',
      'DISABLE_AUTOUPDATER',
      'DISABLE_TELEMETRY',
      'ENABLE_TOOL_SEARCH',
    ],
    asking: { by: 'mode', modes: ['default', 'plan'] },
    hint: 'Install it with: npm install -g @anthropic-ai/claude-code',
    versionArgs: ['--version'],
    login: logins.claude,
    ownRules: 'claude',
  },
]
