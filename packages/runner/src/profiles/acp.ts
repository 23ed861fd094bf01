import type { AgentProfile } from './profile.ts'
import { anthropic, network, openai } from './variables.ts'

/** Agents that speak the Agent Client Protocol. */
export const acpProfiles: readonly AgentProfile[] = [
  {
    agent: 'claude-acp',
    name: 'Claude Code (ACP)',
    description: 'Claude Code through its ACP adapter',
    adapter: 'acp',
    argv: ['claude-agent-acp'],
    env: [...network, ...anthropic, 'CLAUDE_CODE_OAUTH_TOKEN', 'CLAUDE_CONFIG_DIR'],
    asking: { by: 'mode', modes: ['default', 'plan'] },
    hint: 'Install it with: npm install -g @agentclientprotocol/claude-agent-acp',
  },
  {
    agent: 'codex-acp',
    name: 'Codex (ACP)',
    description: 'Codex through its ACP adapter',
    adapter: 'acp',
    argv: ['codex-acp'],
    env: [...network, ...openai, 'CODEX_API_KEY', 'CODEX_HOME'],
    // Its default mode lets a model answer in place of a person.
    asking: { by: 'mode', modes: ['workspace-write', 'read-only'] },
    hint: 'Install it with: npm install -g @agentclientprotocol/codex-acp',
  },
  {
    agent: 'opencode',
    name: 'OpenCode',
    description: 'OpenCode',
    adapter: 'acp',
    argv: ['opencode', 'acp'],
    env: [...network, ...anthropic, ...openai, 'OPENCODE_CONFIG'],
    // Without it, OpenCode asks nothing at all.
    set: { OPENCODE_CONFIG_CONTENT: '{"permission":{"edit":"ask","bash":"ask","webfetch":"ask"}}' },
    asking: { by: 'settings' },
    hint: 'Install it with: npm install -g opencode-ai',
  },
  {
    agent: 'gemini',
    name: 'Gemini CLI',
    description: 'Gemini CLI',
    adapter: 'acp',
    argv: ['gemini', '--acp'],
    env: [
      ...network,
      'GEMINI_API_KEY',
      'GOOGLE_API_KEY',
      'GOOGLE_GEMINI_BASE_URL',
      'GEMINI_MODEL',
      'GOOGLE_CLOUD_PROJECT',
    ],
    asking: { by: 'mode', modes: ['default', 'plan'] },
    hint: 'Install it with: npm install -g @google/gemini-cli',
  },
  {
    agent: 'qwen',
    name: 'Qwen Code',
    description: 'Qwen Code',
    adapter: 'acp',
    argv: ['qwen', '--acp'],
    env: [...network, ...openai],
    // It comes up in a mode in which a model answers.
    asking: { by: 'mode', modes: ['default', 'plan'] },
    hint: 'Install it with: npm install -g @qwen-code/qwen-code',
  },
  {
    agent: 'copilot',
    name: 'GitHub Copilot',
    description: 'GitHub Copilot CLI',
    adapter: 'acp',
    argv: ['copilot', '--acp'],
    env: [
      ...network,
      'GH_TOKEN',
      'GITHUB_TOKEN',
      'COPILOT_GITHUB_TOKEN',
      'COPILOT_MODEL',
      'COPILOT_OFFLINE',
      'COPILOT_PROVIDER_BASE_URL',
      'COPILOT_PROVIDER_API_KEY',
      'COPILOT_PROVIDER_TYPE',
    ],
    asking: { by: 'mode', modes: ['agent', 'plan'] },
    hint: 'Install it with: npm install -g @github/copilot',
  },
]
