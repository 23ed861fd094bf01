import { type AdapterName, runsProgram } from '../adapters/adapter.ts'

/**
 * Files and folders that agents read when they start, from the folder they work in and from those above it, by whoever wrote
 * them: they name programs that are run, tools, and where the model is reached. What is only said to a model (`AGENTS.md`) is
 * not among them.
 */
const claude = ['.claude', '.mcp.json']
const codex = ['.codex']
const gemini = ['.gemini', '.env']
const qwen = ['.qwen', '.env']
const opencode = ['.opencode', 'opencode.json', 'opencode.jsonc']
const copilot = [
  '.copilot',
  '.github/copilot',
  '.github/hooks',
  '.github/agents',
  '.github/mcp.json',
  '.vscode/mcp.json',
  '.mcp.json',
]

const byAgent: Readonly<Record<string, readonly string[]>> = {
  claude,
  'claude-acp': claude,
  codex,
  'codex-acp': codex,
  gemini,
  qwen,
  opencode,
  copilot,
  // It reads none.
  demo: [],
}

const all = [...new Set(Object.values(byAgent).flat())]

/** What an agent reads of a folder; of one that comes with a person's own profile all that any agent reads, unless it says. */
export function settingsNames(profile: {
  agent: string
  adapter: AdapterName
  file?: string | undefined
}): readonly string[] {
  const { agent, adapter, file } = profile
  // A program is run by somebody who may decide, and what it reads is its own affair.
  if (runsProgram(adapter) || adapter === 'mcp') return []
  if (file !== undefined) return adapter === 'claude' ? claude : adapter === 'codex' ? codex : all
  return byAgent[agent] ?? all
}
