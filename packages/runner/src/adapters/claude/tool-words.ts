import type { FileChange, StepKind } from '@hotline/protocol/events/turn'
import { FileResult } from './schema.ts'

/** What the tools that come with Claude Code do; all others, and those of MCP servers, are `other`. */
const kinds: ReadonlyMap<string, StepKind> = new Map([
  ['Bash', 'execute'],
  ['BashOutput', 'execute'],
  ['KillShell', 'execute'],
  ['Monitor', 'execute'],
  ['Read', 'read'],
  ['NotebookRead', 'read'],
  ['Write', 'edit'],
  ['Edit', 'edit'],
  ['MultiEdit', 'edit'],
  ['NotebookEdit', 'edit'],
  ['Glob', 'search'],
  ['Grep', 'search'],
  ['LS', 'search'],
  ['WebFetch', 'fetch'],
  ['WebSearch', 'fetch'],
  ['Task', 'think'],
  ['Agent', 'think'],
  ['ExitPlanMode', 'think'],
])

/** Characters of a file before and after; of a longer one only what changed is shown. */
const wholeFileChars = 32 * 1024

const titleChars = 200

/** What a call of a tool is, as far as its name tells. */
export function kindOf(tool: string): StepKind {
  return kinds.get(tool) ?? 'other'
}

/** A line about a call, for people who read what happened. */
export function titleOf(tool: string, input: unknown): string {
  const { command, file_path: file, notebook_path: notebook, path, pattern, url, query, description } = membersOf(input)
  if (tool === 'Bash' && command !== undefined) return oneLine(command)
  const about = file ?? notebook ?? pattern ?? path ?? url ?? query ?? description
  return about === undefined ? tool : `${tool} ${oneLine(about)}`
}

/** Files that a call is about. */
export function locationsOf(input: unknown): readonly string[] | undefined {
  const { file_path: file, notebook_path: notebook } = membersOf(input)
  const path = file ?? notebook
  return path === undefined ? undefined : [path]
}

/** What a call would change, as far as its input tells: parts of files, unless a file is written whole. */
export function changesOf(tool: string, input: unknown): readonly FileChange[] {
  const { file_path: path, content, old_string: oldText, new_string: newText } = membersOf(input)
  if (path === undefined) return []
  if (tool === 'Write' && content !== undefined) return [{ path, newText: content }]
  if (tool === 'Edit' && newText !== undefined) return [{ path, oldText: oldText ?? '', newText, partial: true }]
  if (tool !== 'MultiEdit') return []
  const { edits } = input as { edits?: unknown }
  return (Array.isArray(edits) ? edits : []).flatMap((edit) => changesOf('Edit', { file_path: path, ...edit }))
}

/** What was changed in fact: whole files where they are short, otherwise the places that changed. */
export function changesMade(result: unknown): readonly FileChange[] | undefined {
  const parsed = FileResult.safeParse(result)
  if (!parsed.success) return undefined
  const { type, filePath: path, content, originalFile, structuredPatch } = parsed.data
  if (type === 'create' && typeof content === 'string') return [{ path, oldText: null, newText: content }]
  const newText = newTextOf(parsed.data)
  if (typeof originalFile === 'string' && newText !== undefined) {
    const isShort = originalFile.length + newText.length <= wholeFileChars
    if (isShort) return [{ path, oldText: originalFile, newText }]
  }
  const lines = (structuredPatch ?? []).flatMap((hunk) => hunk.lines)
  if (lines.length === 0) return undefined
  return [{ path, oldText: side(lines, '-'), newText: side(lines, '+'), partial: true }]
}

function newTextOf({ content, originalFile, oldString, newString, replaceAll }: FileResult): string | undefined {
  if (typeof content === 'string') return content
  if (typeof originalFile !== 'string' || typeof oldString !== 'string' || typeof newString !== 'string')
    return undefined
  if (oldString === '') return undefined
  const pieces = originalFile.split(oldString)
  if (pieces.length < 2) return undefined
  if (replaceAll === true) return pieces.join(newString)
  return `${pieces[0]}${newString}${pieces.slice(1).join(oldString)}`
}

/** One side of a patch. */
function side(lines: readonly string[], sign: '-' | '+'): string {
  return lines
    .filter((line) => line.startsWith(sign) || line.startsWith(' '))
    .map((line) => line.slice(1))
    .join('\n')
}

/** Members that are texts. */
function membersOf(input: unknown): Readonly<Record<string, string | undefined>> {
  if (typeof input !== 'object' || input === null) return {}
  return Object.fromEntries(
    Object.entries(input).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

function oneLine(text: string): string {
  const [first = '', ...rest] = text.trim().split('\n')
  return rest.length > 0 || first.length > titleChars ? `${first.slice(0, titleChars).toWellFormed()} …` : first
}
