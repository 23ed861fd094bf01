import { mkdirSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/** What an agent keeps in the home folder of its user. */
interface AgentHome {
  /** The folder of its sessions and its login, and the variable that names another one. */
  folder: string
  variable?: string
  /** What lies beside that folder. Paths from the home folder. */
  beside?: readonly string[]
  /** Files in the folder that say what is run, by hooks or servers of tools, and what they hold where there was none. */
  settings: Readonly<Record<string, string>>
  /** What else in it is read at every start, where it is there. */
  instructions: readonly string[]
}

const claude: AgentHome = {
  folder: '.claude',
  variable: 'CLAUDE_CONFIG_DIR',
  beside: ['.claude.json'],
  settings: { 'settings.json': '{}\n' },
  instructions: ['settings.local.json', 'CLAUDE.md', 'agents', 'commands', 'hooks', 'plugins', 'rules', 'skills'],
}

const codex: AgentHome = {
  folder: '.codex',
  variable: 'CODEX_HOME',
  settings: { 'config.toml': '' },
  instructions: ['AGENTS.md', 'hooks.json', 'prompts', 'rules', 'skills'],
}

const gemini: AgentHome = {
  folder: '.gemini',
  settings: { 'settings.json': '{}\n' },
  instructions: ['.env', 'GEMINI.md', 'agents', 'commands', 'extensions', 'policies', 'skills'],
}

/** By the name of the program. */
const homes: Readonly<Record<string, AgentHome>> = {
  claude,
  'claude-agent-acp': claude,
  codex,
  'codex-acp': codex,
  gemini,
  qwen: { ...gemini, folder: '.qwen', instructions: [...gemini.instructions, 'QWEN.md'] },
  copilot: {
    folder: '.copilot',
    settings: { 'mcp-config.json': '{"mcpServers":{}}\n' },
    instructions: ['AGENTS.md', 'agents', 'copilot-instructions.md', 'hooks', 'skills'],
  },
  opencode: {
    folder: '.config/opencode',
    variable: 'OPENCODE_CONFIG_DIR',
    beside: ['.local/share/opencode', '.local/state/opencode'],
    settings: { 'opencode.json': '{}\n' },
    instructions: [
      'AGENTS.md',
      'agent',
      'agents',
      'command',
      'commands',
      'config.json',
      'opencode.jsonc',
      'plugin',
      'plugins',
    ],
  },
}

/**
 * What an agent keeps for itself, as paths that it can change, and what of it stays as it is: what it wrote into its settings
 * would run without a fence the next time that a person starts it. An agent that was never here could make neither, so folders
 * and settings are made for it.
 */
export function agentHome(
  program: string | undefined,
  { home, env }: { home: string; env: Readonly<Record<string, string>> },
): { kept: readonly string[]; sealed: readonly string[] } {
  const of = homes[program ?? '']
  if (!of) return { kept: [], sealed: [] }
  const named = of.variable === undefined ? undefined : env[of.variable]
  const folder = named !== undefined && isAbsolute(named) ? named : join(home, of.folder)
  const beside = (of.beside ?? []).map((name) => join(home, name))
  for (const made of [folder, ...beside.filter((path) => !path.endsWith('.json'))]) {
    mkdirSync(made, { recursive: true, mode: 0o700 })
  }
  for (const [name, text] of Object.entries(of.settings)) makeMissing(join(folder, name), text)
  const sealed = [...Object.keys(of.settings), ...of.instructions].map((name) => join(folder, name))
  return { kept: [folder, ...beside], sealed }
}

function makeMissing(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 })
  } catch {
    // It is there, or nobody can make it: an agent neither.
  }
}
