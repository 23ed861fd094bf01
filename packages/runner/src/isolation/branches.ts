import { BranchName } from '@hotline/protocol/branch-name'
import { BlindGit } from './blind-git.ts'
import { branchAt } from './checkouts.ts'
import type { GitOf, Repository } from './repository.ts'

const gitMs = 20_000
/** Branches that are told: those that somebody committed on last. */
const branchesMax = 30

/**
 * Branches of a repository without `own`: the one that is checked out in it first, then as somebody committed on them, those of
 * other sessions last.
 */
export async function branchesOf(
  git: GitOf,
  scratch: string,
  repository: Pick<Repository, 'common' | 'settings' | 'excludesFile' | 'commit'>,
  own: string,
): Promise<readonly string[]> {
  const here = branchAt(repository.common)
  const rank = (name: string): number => (name === here ? 0 : name.startsWith('hotline/') ? 2 : 1)
  // Where none is checked out there, none has to be: the list takes none.
  const head = repository.commit ?? '0'.repeat(40)
  return await BlindGit.with(git.program, scratch, repository, { head, sees: {} }, async (blind) => {
    const args = ['for-each-ref', '--sort=-committerdate', '--format=%(refname:lstrip=2)', 'refs/heads']
    const told = await blind.run(args, { workTree: blind.emptyFolder, timeoutMs: gitMs })
    const names = told.split('\n').filter((name) => name !== own && BranchName.safeParse(name).success)
    return names.toSorted((one, other) => rank(one) - rank(other)).slice(0, branchesMax)
  })
}
