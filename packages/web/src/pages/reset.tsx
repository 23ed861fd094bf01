import type { PasswordReset } from '@hotline/protocol/password-reset'
import type { ReactNode } from 'react'
import { LinkDoor } from './link-door.tsx'

/** Whoever lost their password chooses another one, and is in. */
export function ResetPage({ code }: { code: string }): ReactNode {
  return (
    <LinkDoor<PasswordReset>
      code={code}
      path="/api/auth/password-reset"
      head={({ name }) => (
        <>
          <h1>A new password for {name}</h1>
          <p className="quiet">You will be signed out everywhere, and signed in here.</p>
        </>
      )}
      fields={
        <fieldset className="ticks">
          <label>
            <input type="checkbox" name="keys" value="revoke" />
            Somebody else may know my password: end my tokens, API keys and invitations too
          </label>
        </fieldset>
      }
      also={(given) => ({ keys: given.get('keys') === 'revoke' ? 'revoke' : 'keep' })}
      button="Set password and sign in"
    />
  )
}
