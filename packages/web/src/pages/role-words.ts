import type { Role } from '@hotline/protocol/actor'

/** What somebody may do in a project, after "may". */
export const roleWords: Record<Role, string> = {
  viewer: 'watch',
  operator: 'watch, start agents, write to them and stop them',
  approver: 'start agents, write to them, and allow and deny what they ask, but for what is of high risk',
  admin: 'start and steer agents, decide what they ask, of high risk too, and say who is in the project',
  owner: 'do everything there',
}
