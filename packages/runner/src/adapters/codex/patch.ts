import type { FileChange } from '@hotline/protocol/events/turn'
import type { Change } from './schema.ts'

/** What stands for the lines between two pieces of a file that are shown. */
const gap = '⋯'

/** Codex writes this behind the hunks of a file that it moves; it is no part of the file. */
const movedNote = /\n\nMoved to: [^\n]*\n?$/

/**
 * The changes of codex as changes to files. Of a file that is changed it shows hunks only, so both sides are pieces of the
 * file. A file that is moved is one that goes and one that comes.
 */
export function fileChanges(changes: readonly Change[]): readonly FileChange[] {
  return changes.flatMap(({ path, kind, diff }): FileChange[] => {
    if (kind.type === 'add') return [{ path, oldText: null, newText: diff }]
    if (kind.type === 'delete') return [{ path, oldText: diff, newText: '' }]
    const { oldText, newText } = sides(diff.replace(movedNote, ''))
    const moved = kind.move_path ?? undefined
    if (moved === undefined) return [{ path, oldText, newText, partial: true }]
    return [
      { path, oldText, newText: '', partial: true },
      { path: moved, oldText: null, newText, partial: true },
    ]
  })
}

/** The changes as one patch: exactly what codex would apply, in the form that people read. */
export function patchText(changes: readonly Change[]): string {
  return changes.map(patchOf).join('')
}

/** What a set of changes is, in a few words; files of the folder by their names in it. */
export function titleOf(changes: readonly Change[], cwd: string): string {
  const [first] = changes
  if (!first) return 'Change files'
  if (changes.length > 1) return `Change ${changes.length} files`
  const nameOf = (path: string): string => (path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path)
  const words = { add: 'Add', delete: 'Delete', update: 'Edit' } as const
  const moved = first.kind.move_path ?? undefined
  const name = nameOf(first.path)
  return moved === undefined ? `${words[first.kind.type]} ${name}` : `Move ${name} to ${nameOf(moved)}`
}

function patchOf({ path, kind, diff }: Change): string {
  if (kind.type === 'add') return `--- /dev/null\n+++ ${path}\n${marked('+', diff)}`
  if (kind.type === 'delete') return `--- ${path}\n+++ /dev/null\n${marked('-', diff)}`
  const moved = kind.move_path ?? undefined
  const hunks = diff.replace(movedNote, '')
  return `--- ${path}\n+++ ${moved ?? path}\n${hunks.endsWith('\n') ? hunks : `${hunks}\n`}`
}

function marked(mark: string, text: string): string {
  if (text === '') return ''
  const ends = text.endsWith('\n')
  const lines = (ends ? text.slice(0, -1) : text).split('\n').map((line) => `${mark}${line}\n`)
  return lines.join('') + (ends ? '' : '\\ No newline at end of file\n')
}

/** What hunks take away and what they put there, with the lines around. */
function sides(diff: string): { oldText: string; newText: string } {
  const before: string[] = []
  const after: string[] = []
  for (const line of (diff.endsWith('\n') ? diff.slice(0, -1) : diff).split('\n')) {
    const text = line.slice(1)
    if (line.startsWith('@@')) {
      if (before.length + after.length === 0) continue
      before.push(gap)
      after.push(gap)
    } else if (line.startsWith('-')) before.push(text)
    else if (line.startsWith('+')) after.push(text)
    else if (!line.startsWith('\\')) {
      before.push(text)
      after.push(text)
    }
  }
  const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
  return { oldText: joined(before), newText: joined(after) }
}
