import { type Problem, problem } from '@hotline/protocol/error'
import { idPattern } from '@hotline/protocol/stream'

/** The project and the task that an address of `/interact` names; undefined where the address is of something else. */
export function readInteractTarget(path: string): { project: string; task: string } | Problem | undefined {
  const [, project, task] = /^\/api\/projects\/([^/]*)\/tasks\/([^/]*)\/interact$/.exec(path) ?? []
  if (project === undefined || task === undefined) return undefined
  if (idPattern.test(project) && idPattern.test(task)) return { project, task }
  return problem('invalid_request', 'The ids of a project and of a task have 1 to 64 letters, digits, "_" or "-".')
}
