import { commandAgent } from '@hotline/protocol/commands/session'
import type { AnnounceBody } from '@hotline/protocol/http'
import type { Asking } from './adapters/adapter.ts'
import { findProgram } from './process/find-program.ts'

/** A kind of agent that this runner can start. */
export interface AgentProfile {
  agent: string
  name: string
  description: string
  adapter: 'acp' | 'pty'
  /** The program and its arguments; `of-session`: the session brings its own command line. */
  argv: readonly string[] | 'of-session'
  /** Variables that are handed over besides those that everybody gets. */
  env?: readonly string[]
  /** Variables that are set. */
  set?: Readonly<Record<string, string>>
  asking: Asking
  /** What "allow always" means to it; absent: not offered, because it would last longer than anybody can see. */
  allowAlways?: 'session' | 'project'
  /** Works in a folder of its own where the session names none. */
  hasScratch?: boolean
  /** What to do where the program is missing. */
  hint: string
}

/** What a proxy or a private certificate needs; every agent that talks to a model gets it. */
const network: readonly string[] = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
]

const anthropic: readonly string[] = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_MODEL',
]
const openai: readonly string[] = ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_MODEL']

/** Names whose values are secrets: they are masked in everything that the agent says. */
const secretName = /(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|PROXY)$/i

/** True where the value of a variable must not be read in what an agent says. */
export function isSecret(name: string, value: string): boolean {
  return secretName.test(name) && (!/PROXY$/i.test(name) || value.includes('@'))
}

/** The profiles that come with Hotline. `demo`: how the demonstration agent is started, where it is installed. */
export function builtinProfiles(demo: readonly string[] | undefined): readonly AgentProfile[] {
  const command: AgentProfile = {
    agent: commandAgent,
    name: 'Any command',
    description: 'Any program, in a terminal',
    adapter: 'pty',
    argv: 'of-session',
    asking: { by: 'settings' },
    hint: '',
  }
  const demonstration: AgentProfile = {
    agent: 'demo',
    name: 'Demo agent',
    description: 'A demonstration without a model and without a key: it explains itself, asks and waits for answers',
    adapter: 'acp',
    argv: demo ?? [],
    env: ['HOTLINE_DEMO_SCRIPT', 'HOTLINE_DEMO_JOURNAL', 'HOTLINE_DEMO_PACE', 'HOTLINE_DEMO_STATE'],
    asking: { by: 'mode', modes: ['ask'] },
    allowAlways: 'session',
    hasScratch: true,
    hint: 'The demonstration agent is not installed here.',
  }
  return [demonstration, command, ...acpProfiles]
}

const acpProfiles: readonly AgentProfile[] = [
  {
    agent: 'claude',
    name: 'Claude Code',
    description: 'Claude Code through its ACP adapter',
    adapter: 'acp',
    argv: ['claude-agent-acp'],
    env: [...network, ...anthropic, 'CLAUDE_CODE_OAUTH_TOKEN', 'CLAUDE_CONFIG_DIR'],
    asking: { by: 'mode', modes: ['default', 'plan'] },
    hint: 'Install it with: npm install -g @agentclientprotocol/claude-agent-acp',
  },
  {
    agent: 'codex',
    name: 'Codex',
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

/** What is announced to the server: which of the profiles can be started here, and what to do about the others. */
export function announceAgents(profiles: readonly AgentProfile[], path: string | undefined): AnnounceBody['agents'] {
  return profiles.map(({ agent, name, description, argv, hint }) => {
    const [program] = argv === 'of-session' ? [] : argv
    const available = argv === 'of-session' || (program !== undefined && findProgram(program, path) !== undefined)
    return { agent, name, description, available, ...(available || hint === '' ? {} : { hint }) }
  })
}
