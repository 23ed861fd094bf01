import type { Isolator } from '../isolation/isolator.ts'
import type { DraftCommits } from './session-drafts.ts'

/** How what is kept of a session is committed; undefined where its agent does not work in a worktree of its own. */
export function commitsOf(
  isolator: Isolator,
  session: string,
  agent: () => string,
  folder: string,
): DraftCommits | undefined {
  const worktree = isolator.worktreeOf(session)
  if (worktree?.cwd !== folder) return undefined
  return {
    branch: worktree.branch,
    branches: () => isolator.branches(session).catch(() => []),
    commit: async (files, { message, into, by }) => {
      const trailers = [
        ['Hotline-Session', session],
        ['Hotline-Agent', agent()],
      ] as [string, string][]
      if (by !== undefined) trailers.push(['Hotline-Reviewed-By', by])
      try {
        const { left, ...done } = await isolator.commit(session, files, { message, trailers }, into)
        const [first] = left
        if (!first) return done
        const names = left.map(({ path }) => JSON.stringify(path)).join(', ')
        return { ...done, uncommitted: `Not in it: ${names} (${first.why}).` }
      } catch (error) {
        // It is kept all the same, and can be committed by anybody.
        return { uncommitted: error instanceof Error ? error.message : String(error) }
      }
    },
  }
}
