import type { FileState, FileStep, Stretch } from '@hotline/core/undo/plan-undo'
import { z } from 'zod'
import type { ShadowGit } from './git.ts'
import { pathOf, States } from './places.ts'

/** What is written with each snapshot: what happened since the one before it. */
export const Note = z.object({
  checkpoint: z.string(),
  moment: z.string(),
  by: z.enum(['agent', 'undo', 'other', 'unsure']),
  turn: z.string().optional(),
  /** Steps and turns that began since the snapshot before; each with the one that was complete then. */
  began: z.array(z.object({ id: z.string(), after: z.string() })).optional(),
  /** What was run since then, as far as it may have acted elsewhere. */
  ran: z.array(z.string()).optional(),
  /** Of an undo: the files that it put back; what else changed meanwhile was not its doing. */
  paths: z.array(z.string()).optional(),
})
export type Note = z.infer<typeof Note>

/** One snapshot of a session. */
export interface Kept {
  commit: string
  tree: string
  note: Note
}

/** The branch that holds the snapshots of a session. */
export function branchOf(session: string): string {
  return `refs/hotline/${session}`
}

/** The snapshots of a session, oldest first; none where there is no such session. */
export async function readKept(git: ShadowGit, session: string): Promise<readonly Kept[]> {
  const ref = branchOf(session)
  const there = await git.run(['for-each-ref', '--format=%(objectname)', ref])
  if (there.length === 0) return []
  const text = (await git.run(['rev-list', '--reverse', '--first-parent', '--format=%H %T%n%B%x00', ref])).toString()
  return text.split('\0').flatMap((part) => {
    const lines = part.replace(/^\s*/, '').split('\n')
    const [commit = '', tree = ''] = (lines[1] ?? '').split(' ')
    const note = lines.slice(2).join('\n').trim()
    if (commit === '' || note === '') return []
    return [{ commit, tree, note: Note.parse(JSON.parse(note)) }]
  })
}

/** Every file of a snapshot as it was then. */
export async function readStates(git: ShadowGit, tree: string): Promise<ReadonlyMap<string, string>> {
  const states = new States()
  const text = (await git.run(['ls-tree', '-r', '-z', '--full-tree', tree])).toString()
  for (const line of text.split('\0')) {
    const tab = line.indexOf('\t')
    if (tab === -1) continue
    const [mode = '', , oid = ''] = line.slice(0, tab).split(' ')
    states.put(line.slice(tab + 1), `${mode} ${oid}`)
  }
  return states.all()
}

/** What happened since a snapshot, up to the last one. */
export async function readStretches(
  git: ShadowGit,
  from: Kept,
  since: readonly Kept[],
): Promise<{ stretches: readonly Stretch[]; start: ReadonlyMap<string, FileState> }> {
  const start = await readStates(git, from.tree)
  if (since.length === 0) return { stretches: [], start }
  const states = States.of(start)
  // Pairs of trees, so that it does not matter what a commit calls its parent.
  const pairs = since.map(({ tree }, at) => `${at === 0 ? from.tree : (since[at - 1]?.tree ?? '')} ${tree}\n`)
  const raw = await git.run(['diff-tree', '--stdin', '-r', '-z', '--raw', '--no-renames'], pairs.join(''))
  const byPair = splitPairs(raw.toString(), pairs.length)
  const stretches = since.map(({ note }, at): Stretch[] => {
    const touched = new Map<string, FileState>()
    for (const { place, value } of byPair[at] ?? []) {
      const path = pathOf(place)
      if (path === undefined) continue
      if (!touched.has(path)) touched.set(path, states.get(path))
      if (value === undefined) states.drop(place)
      else states.put(place, value)
    }
    const steps = [...touched]
      .map(([path, before]): FileStep => ({ path, before, after: states.get(path) }))
      .filter(({ before, after }) => before !== after)
    if (note.by !== 'undo') return [{ by: note.by, steps }]
    const ours = new Set(note.paths)
    return [
      { by: 'undo', steps: steps.filter(({ path }) => ours.has(path)) },
      { by: 'other', steps: steps.filter(({ path }) => !ours.has(path)) },
    ]
  })
  return { stretches: stretches.flat(), start }
}

/** Pairs that do not differ say nothing but their names, in the order of the question. */
function splitPairs(text: string, count: number): { place: string; value: string | undefined }[][] {
  const pairs: { place: string; value: string | undefined }[][] = []
  let current: { place: string; value: string | undefined }[] = []
  const fields = text.split('\0')
  for (let at = 0; at < fields.length; at += 1) {
    let field = fields[at] ?? ''
    // The names of a pair stand in a line of their own, before its first entry.
    const line = /^([0-9a-f]{40} [0-9a-f]{40}\n)+/.exec(field)
    if (line) {
      for (let n = line[0].length / 82; n > 0; n -= 1) pairs.push((current = []))
      field = field.slice(line[0].length)
    }
    if (!field.startsWith(':')) continue
    const [, mode = '', , oid = '', status = ''] = field.slice(1).split(' ')
    at += 1
    current.push({ place: fields[at] ?? '', value: status === 'D' ? undefined : `${mode} ${oid}` })
  }
  while (pairs.length < count) pairs.push([])
  return pairs
}
