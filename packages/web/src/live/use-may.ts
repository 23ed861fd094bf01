import { type Permission, roleAllows } from '@hotline/core/roles'
import { useLive } from './hotline.tsx'

/** Whether the role of whoever looks allows something in a project. The server decides; the page offers no more than that. */
export function useMay(project: string | undefined): (permission: Permission) => boolean {
  const { me } = useLive()
  const role = me.projects.find((one) => one.project === project)?.role
  return (permission) => role !== undefined && roleAllows(role, permission)
}
