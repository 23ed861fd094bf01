import type { Lists } from '../log/lists.ts'

/** Whether there is such an account, or an open invitation: its account has the id of the invitation, and is a member before it is there. */
export async function isAccount(lists: Pick<Lists, 'account' | 'key'>, id: string): Promise<boolean> {
  if (await lists.account(id)) return true
  const key = await lists.key(id)
  return key?.kind === 'inv' && key.revoked_at === null
}
