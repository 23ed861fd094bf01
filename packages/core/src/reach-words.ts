import type { FileFence, TreeReach } from '@hotline/protocol/process-tree'

/** What is stopped and ended where an agent is, in words: not more than is known. */
export const reachWords: Readonly<Record<TreeReach, string>> = {
  cgroup: 'everything that it started',
  namespace: 'everything that it started',
  scan: 'what can be found of it',
  group: 'its process group alone',
}

/** What an agent is kept from by Hotline beside that, in words. */
export const fenceWords: Readonly<Record<FileFence, string>> = {
  none: 'nothing: files and network are as for the user of its runner',
  files: 'files outside of what it works on cannot be changed, keys are not there; the network is as for its user',
}

/** True where nothing that an agent started is outside of what is stopped and ended. */
export function isWhole(reach: TreeReach): boolean {
  return reach === 'cgroup' || reach === 'namespace'
}

/** What was stopped, as evidence: how many processes, and whether that is all of them. */
export function standstillWords({
  reach,
  processes,
}: {
  reach?: TreeReach | undefined
  processes?: number | undefined
}): string {
  const count =
    processes === undefined ? '' : processes === 1 ? '1 process stands still' : `${processes} processes stand still`
  const limit = reach === undefined || isWhole(reach) ? '' : 'what hides from its machine may go on'
  return [count, limit].filter(Boolean).join('; ')
}

/** What is left of an agent that was ended, as far as that is known. */
export function nothingLeftWords(reach: TreeReach | undefined): string {
  if (reach === undefined) return ''
  return isWhole(reach) ? 'nothing is left of it' : 'nothing is left that could be found'
}
