import { type Problem, problem } from '@hotline/protocol/error'
import { idPattern } from '@hotline/protocol/stream'

/** The task that an address of updates names, and where to go on; undefined where the address is of something else. */
export function readUpdatesTarget(
  path: string,
  query: string,
): { task: string; since: string | undefined } | Problem | undefined {
  const task = /^\/api\/agent\/([^/]*)\/updates$/.exec(path)?.[1]
  if (task === undefined) return undefined
  if (!idPattern.test(task))
    return problem('invalid_request', 'The id of a task has 1 to 64 letters, digits, "_" or "-".')
  return { task, since: new URLSearchParams(query).get('since') ?? undefined }
}
