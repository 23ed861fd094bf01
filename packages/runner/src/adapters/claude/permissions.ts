import type { CanUseTool, Suggestion } from './schema.ts'

/** Where a rule is kept: for as long as the process runs, or in the folder's own settings. */
const destinations = { session: 'session', project: 'localSettings' } as const

/** Tools that change one file, and the member of their input that names it. */
const fileTools: ReadonlyMap<string, string> = new Map([
  ['Write', 'file_path'],
  ['Edit', 'file_path'],
  ['MultiEdit', 'file_path'],
  ['NotebookEdit', 'notebook_path'],
])

interface Rule {
  toolName: string
  ruleContent?: string
}

/** How far a yes may reach, and what that would mean. */
export interface Reach {
  scopes: readonly ('once' | 'session' | 'project')[]
  /** In words for the person who decides: what would not be asked any more. Absent where a yes counts once. */
  words?: string
  rules: readonly Rule[]
}

/**
 * What may be offered beside "once". A suggestion of a rule is offered as it is. One to change the mode is not: it would
 * let everything through that edits, and nobody was asked that; in its place the one file is offered, while the session lasts.
 * Behind a fence it cannot write the settings that a rule for the project would be in.
 */
export function reachOf(
  { tool_name: tool, input, permission_suggestions: suggestions }: CanUseTool,
  isFenced: boolean,
): Reach {
  const rules = (suggestions ?? []).flatMap(rulesOf)
  const isOfThis = rules.length > 0 && rules.every(({ toolName }) => toolName === tool)
  if (isOfThis) {
    const scopes = ['once', 'session', ...(isFenced ? [] : ['project' as const])] as const
    return { scopes, words: inWords(rules), rules }
  }
  const path = input[fileTools.get(tool) ?? '']
  const proposesMode = suggestions?.some(({ type }) => type === 'setMode') === true
  if (proposesMode && typeof path === 'string' && isPlainPath(path)) {
    const file = [{ toolName: 'Edit', ruleContent: `/${path}` }]
    return { scopes: ['once', 'session'], words: inWords(file), rules: file }
  }
  return { scopes: ['once'], rules: [] }
}

/** What goes along with a yes that counts for longer. */
export function permissionsFor({ rules }: Reach, scope: 'session' | 'project'): readonly Record<string, unknown>[] {
  return [{ type: 'addRules', rules, behavior: 'allow', destination: destinations[scope] }]
}

function rulesOf({ type, behavior, rules }: Suggestion): readonly Rule[] {
  if (type !== 'addRules' || behavior !== 'allow') return []
  return (rules ?? []).map(({ toolName, ruleContent }) => ({
    toolName,
    ...(typeof ruleContent === 'string' ? { ruleContent } : {}),
  }))
}

function inWords(rules: readonly Rule[]): string {
  const list = rules.map(({ toolName, ruleContent }) =>
    ruleContent === undefined ? toolName : `${toolName}(${ruleContent})`,
  )
  return `Allowed for longer, this would no longer be asked: ${list.join(', ')}`
}

/** Absolute, and without what a rule would read as a pattern. */
function isPlainPath(path: string): boolean {
  return path.startsWith('/') && !/[*?[\]{}()!\\\n]/.test(path)
}
