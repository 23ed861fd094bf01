/** A real agent that tests install: one exact version, because each version behaves in its own way. */
export interface AgentPackage {
  /** Of the npm registry, with its exact version. */
  package: string
  version: string
  /** The program that the package brings. */
  program: string
  /** What it is on disk, for whoever wonders where the space went. */
  sizeMb: number
  /** Why its install script has to run; those of all others, and of what they bring along, do not. */
  script?: string
}

/** All of them, by the name of their folder in the cache. */
export const agentPackages = {
  'claude-code': {
    package: '@anthropic-ai/claude-code',
    version: '2.1.329',
    program: 'claude',
    sizeMb: 361,
    script: 'puts the program of the platform in the place of one that only complains',
  },
  codex: { package: '@openai/codex', version: '0.169.0', program: 'codex', sizeMb: 404 },
  copilot: { package: '@github/copilot', version: '1.0.102', program: 'copilot', sizeMb: 189 },
  'claude-agent-acp': {
    package: '@agentclientprotocol/claude-agent-acp',
    version: '0.100.0',
    program: 'claude-agent-acp',
    sizeMb: 391,
  },
  'codex-acp': { package: '@agentclientprotocol/codex-acp', version: '2.6.0', program: 'codex-acp', sizeMb: 457 },
  opencode: {
    package: 'opencode-ai',
    version: '1.18.33',
    program: 'opencode',
    sizeMb: 354,
    script: 'puts the program of the platform in the place of one that only complains',
  },
  gemini: { package: '@google/gemini-cli', version: '0.61.0', program: 'gemini', sizeMb: 100 },
  qwen: { package: '@qwen-code/qwen-code', version: '0.24.4', program: 'qwen', sizeMb: 144 },
} as const satisfies Record<string, AgentPackage>

/** The name of an agent that can be installed. */
export type AgentPackageName = keyof typeof agentPackages
