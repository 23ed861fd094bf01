import type { BlindGit } from './blind-git.ts'
import { listed } from './run-git.ts'

/** Names that are told in one sentence. */
const namesMax = 10

/** A file that is another one in another tree. */
export interface TreeChange {
  path: string
  /** `mode oid`; empty where it is not there. */
  was: string
  is: string
}

/** A repository in the repository, by the mode that its entry has. */
export const nestedMode = '160000'

const nothing = '000000'

/** What is different between two commits, file by file. Throws `GitRefusal`. */
export async function treeChanges(
  blind: BlindGit,
  at: { workTree: string; timeoutMs: number; objects?: string },
  from: string,
  to: string,
): Promise<readonly TreeChange[]> {
  const parts = listed(await blind.run(['diff-tree', '-r', '-z', '--raw', '--no-renames', '--no-abbrev', from, to], at))
  const changes: TreeChange[] = []
  // Two at a time: `:mode mode oid oid status`, path.
  for (let start = 0; start + 1 < parts.length; start += 2) {
    const [modeWas = '', modeIs = '', oidWas = '', oidIs = ''] = (parts[start] ?? '').slice(1).split(' ')
    const entry = (mode: string, oid: string): string => (mode === nothing ? '' : `${mode} ${oid}`)
    changes.push({ path: parts[start + 1] ?? '', was: entry(modeWas, oidWas), is: entry(modeIs, oidIs) })
  }
  return changes
}

/** Files of which attributes say that a program makes what is committed out of what lies there, as Git LFS does. */
export async function filteredOf(
  blind: BlindGit,
  at: { workTree: string; timeoutMs: number; index?: string },
  paths: readonly string[],
  from: readonly '--cached'[] = [],
): Promise<ReadonlySet<string>> {
  const input = paths.map((path) => `${path}\0`).join('')
  const told = await blind.run(['check-attr', ...from, '-z', '--stdin', 'filter'], { ...at, input })
  // Three at a time: path, attribute, value.
  const parts = listed(told)
  const filtered = new Set<string>()
  for (let start = 0; start + 2 < parts.length; start += 3) {
    const [path, , value] = parts.slice(start, start + 3)
    if (path !== undefined && value !== 'unspecified' && value !== 'unset') filtered.add(path)
  }
  return filtered
}

/** `"a", "b" and 3 more`. */
export function namesOf(paths: readonly string[]): string {
  const named = paths
    .slice(0, namesMax)
    .map((path) => JSON.stringify(path))
    .join(', ')
  return paths.length > namesMax ? `${named} and ${paths.length - namesMax} more` : named
}
