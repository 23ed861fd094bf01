import { lookAtFiles } from './look.ts'
import type { Placement } from './placement.ts'
import { type GitOf, readRepository, type Repository } from './repository.ts'
import { ownCommits } from './worktree.ts'

/** What a worktree holds that is nowhere else. */
export interface OwnWork {
  uncommitted: number
  /** That no other branch has. */
  commits: number
}

/** Looks what a worktree holds. Throws where nobody can say. */
export async function lookForWork(
  git: GitOf,
  scratch: string,
  of: NonNullable<Placement['worktree']>,
  folder: string,
): Promise<OwnWork> {
  const [{ tip, commits }, repository] = await Promise.all([
    ownCommits(git, of.common, { ...of, folder }),
    readRepository(git, of.common).then((found) => found ?? { settings: [], excludesFile: undefined }),
  ])
  const { settings, excludesFile } = repository
  const bare: Repository = { root: folder, gitDir: of.admin, common: of.common, refs: 'files', settings, excludesFile }
  const look = await lookAtFiles(
    git.program,
    scratch,
    { ...bare, commit: tip },
    { workTree: folder, indexOf: of.admin },
  )
  const uncommitted =
    look.changed.length + look.removed.length + look.nested.filter((path) => path.endsWith('/')).length
  return { uncommitted, commits }
}
