import type { Invitation } from '@hotline/protocol/invitation'
import type { ReactNode } from 'react'
import { LinkDoor } from './link-door.tsx'
import { roleWords } from './role-words.ts'

/** Whoever was invited chooses a password, and is in. */
export function AcceptPage({ code }: { code: string }): ReactNode {
  return (
    <LinkDoor<Invitation>
      code={code}
      path="/api/auth/invitation"
      head={({ name, invitedBy, project, role }) => (
        <>
          <h1>Welcome to Hotline, {name}</h1>
          <p className="quiet">
            {invitedBy} invites you to “{project}”. You may {roleWords[role]}.
          </p>
        </>
      )}
      button="Create account"
    />
  )
}
