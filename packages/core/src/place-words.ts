import type { BodyOf, DataOf } from '@hotline/protocol/events'
import type { FolderView, Isolation, NamedCount } from '@hotline/protocol/place'

/** Names that a sentence can take. */
const namesMax = 3

/** The ways to work in a folder, as people read them. */
export const isolationWords: Readonly<Record<Isolation, string>> = {
  worktree: 'in a worktree of its own',
  copy: 'in a copy of the folder',
  in_place: 'in the folder itself',
}

/** `3 uncommitted files (a.txt, b.txt, c.txt)`; undefined where there are none. */
export function countWords(what: NamedCount | undefined, one: string, many: string): string | undefined {
  if (!what || what.count === 0) return undefined
  const names = what.names.slice(0, namesMax)
  const more = what.count > names.length ? ', …' : ''
  const inBrackets = names.length === 0 ? '' : ` (${names.join(', ')}${more})`
  return `${what.count} ${what.count === 1 ? one : many}${inBrackets}`
}

/** What a session would have around it, one sentence in each line: where it works, and what is not there. */
export function viewLines(view: FolderView, isolation: Isolation, bring: readonly string[]): readonly string[] {
  const { repository, others, setup, settings, included, whyNot } = view
  const lines: string[] = []
  const at = repository?.branch ?? repository?.commit?.slice(0, 10)
  switch (isolation) {
    case 'worktree': {
      lines.push(
        `It works in a worktree of its own, beside ${repository?.root ?? view.folder}, as of the last commit of ${at ?? 'it'}.`,
      )
      const missing = missingWords({
        uncommitted: bring.includes('uncommitted') ? undefined : view.uncommitted,
        ignored: bring.includes('ignored') ? undefined : view.ignored,
        nested: view.nested,
      })
      if (missing !== undefined) lines.push(`Not in it: ${missing}.`)
      const along = countWords(included, 'ignored file', 'ignored files')
      if (along !== undefined && !bring.includes('ignored')) lines.push(`Brought along by .worktreeinclude: ${along}.`)
      break
    }
    case 'copy':
      lines.push(`It works in a copy of ${view.folder}, with all that is in it.`)
      break
    case 'in_place':
      lines.push(`It works in ${view.folder} itself.`)
      if (whyNot !== undefined) lines.push(whyNot)
      if (others.length > 0) lines.push(othersWords(others))
      break
  }
  const named = countWords(settings, 'file', 'files')
  if (named !== undefined) {
    lines.push(
      `It brings settings for its agent: ${named}. You are asked before it starts with them, unless they are trusted.`,
    )
  }
  if (setup !== undefined && isolation !== 'in_place') lines.push(`Before it starts, this is run there: ${setup}`)
  return lines
}

/** Other sessions work in the same folder at this moment. */
export function othersWords(others: readonly string[]): string {
  const names = others.map((title) => JSON.stringify(title)).join(', ')
  const who = others.length === 1 ? 'Another session works' : 'Other sessions work'
  return `${who} in this very folder: ${names}. They would change the same files.`
}

/** The place of a session's agent, one sentence in each line. */
export function preparedLines(
  data: DataOf<'workspace.prepared'>,
  body: BodyOf<'workspace.prepared'> | undefined,
): readonly string[] {
  const folder = body?.folder ?? '(erased)'
  const from = body?.from === undefined ? '' : `, taken from ${body.from}`
  const of = (count: number | undefined, names: readonly string[] | undefined): NamedCount => ({
    count: count ?? 0,
    names: [...(names ?? [])],
  })
  const lines: string[] = []
  switch (data.isolation) {
    case 'worktree': {
      const branch = body?.branch === undefined ? '' : `, on the branch ${body.branch}`
      lines.push(`Works in a worktree of its own, ${folder}${branch}${from}.`)
      const missing = missingWords({
        uncommitted: of(data.uncommitted, body?.uncommitted),
        ignored: of(data.ignored, body?.ignored),
        nested: of(data.nested, body?.nested),
      })
      if (missing !== undefined) lines.push(`Not in it: ${missing}.`)
      break
    }
    case 'copy':
      lines.push(`Works in a copy, ${folder}${from}.`)
      break
    case 'in_place':
      lines.push(`Works in ${folder} itself.`)
      break
  }
  if (data.brought) lines.push(`Brought along: ${data.brought === 1 ? '1 file' : `${data.brought} files`}.`)
  if (body?.note !== undefined) lines.push(body.note)
  return lines
}

/** What became of the place, one sentence in each line. */
export function releasedLines(
  { outcome, uncommitted = 0, commits = 0 }: DataOf<'workspace.released'>,
  body: BodyOf<'workspace.released'> | undefined,
): readonly string[] {
  const { folder = '(erased)', branch, note } = body ?? {}
  const more = note === undefined ? [] : [note]
  if (outcome === 'removed') return [`${folder} was removed: nothing in it was new.`, ...more]
  const on = branch === undefined ? '' : ` on the branch ${branch}`
  const what = [
    ...(uncommitted > 0 ? [`${uncommitted} uncommitted ${uncommitted === 1 ? 'file' : 'files'}`] : []),
    ...(commits > 0 ? [`${commits} ${commits === 1 ? 'commit' : 'commits'}${on} that no other branch has`] : []),
  ]
  return [`${folder} was kept${what.length === 0 ? '' : `, with ${what.join(' and ')}`}.`, ...more]
}

function missingWords(of: {
  uncommitted: NamedCount | undefined
  ignored: NamedCount | undefined
  nested: NamedCount | undefined
}): string | undefined {
  const parts = [
    countWords(of.uncommitted, 'uncommitted file', 'uncommitted files'),
    countWords(of.ignored, 'ignored file or folder', 'ignored files and folders'),
    countWords(of.nested, 'repository inside of it', 'repositories inside of it'),
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : parts.join('; ')
}
