import { roles } from '@hotline/protocol/actor'
import type { Problem } from '@hotline/protocol/error'
import type { AccountRow, KeyRow } from '@hotline/protocol/http'
import { type FormEvent, type ReactNode, useCallback, useEffect, useState } from 'react'
import { ask } from '../live/ask.ts'
import { useLive } from '../live/hotline.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { clockText } from '../text/time.ts'
import { ResetLink } from './reset-link.tsx'

/** Who has an account on this server, who is invited, and a link for one more. Admins of the server see it. */
export function People({ keys, load }: { keys: readonly KeyRow[] | undefined; load: () => Promise<void> }): ReactNode {
  const { link, me } = useLive()
  const [accounts, setAccounts] = useState<readonly AccountRow[]>([])
  const [made, setMade] = useState<{ link: string; expiresAt: string }>()
  const [problem, setProblem] = useState<Problem>()
  const [proof, setProof] = useState<'said' | 'needed'>('said')
  const [forgot, setForgot] = useState<AccountRow>()
  const read = useCallback(async () => {
    const answer = await link.request<{ accounts: AccountRow[] }>('GET', '/api/accounts')
    if (answer.ok) setAccounts(answer.value.accounts)
    else setProblem(answer.problem)
  }, [link])
  useEffect(() => void read(), [read])
  const mine = me.projects.filter(({ role }) => role === 'owner' || role === 'admin')
  const open = (keys ?? []).filter(({ kind, expiresAt }) => kind === 'inv' && Date.parse(expiresAt) > Date.now())

  async function invite(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const form = event.currentTarget
    const given = new FormData(form)
    setMade(undefined)
    const password = given.get('password')
    if (typeof password === 'string') {
      const said = await ask('POST', '/api/auth/confirm', { password })
      if (!said.ok) return setProblem(said.problem)
    }
    const body = { name: given.get('name'), project: given.get('project'), role: given.get('role') }
    const answer = await ask<{ link: string; expiresAt: string }>('POST', '/api/invitations', body)
    const isNeeded = !answer.ok && answer.problem.code === 'password_needed'
    setProof(isNeeded ? 'needed' : 'said')
    setProblem(answer.ok || isNeeded ? undefined : answer.problem)
    if (!answer.ok) return undefined
    setMade(answer.value)
    form.reset()
    return load()
  }
  return (
    <section className="stack" aria-label="People">
      <h2>People</h2>
      <table>
        <tbody>
          {accounts.map((row) => (
            <tr key={row.account}>
              <td>{row.name}</td>
              <td className="quiet">{row.disabled ? 'turned off' : row.admin ? 'admin of this server' : 'person'}</td>
              <td className="end">
                {!row.disabled && row.account !== me.id && (
                  <button
                    type="button"
                    className="button plain"
                    aria-label={`New password for ${row.name} …`}
                    onClick={() => setForgot(row)}
                  >
                    New password …
                  </button>
                )}
              </td>
            </tr>
          ))}
          {open.map(({ key, name, expiresAt }) => (
            <tr key={key}>
              <td>{name}</td>
              <td className="quiet">invited, until {clockText(expiresAt, Date.now())}</td>
              <td className="end">
                <button
                  type="button"
                  className="button plain"
                  aria-label={`Take back the invitation of ${name}`}
                  onClick={() => void link.request('DELETE', `/api/keys/${key}`).then(load)}
                >
                  Take back
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {forgot && <ResetLink key={forgot.account} of={forgot} close={() => setForgot(undefined)} />}
      {made && (
        <div role="status" className="stack">
          <p>
            Give this link to the new person, and to nobody else. It works once and is not shown again.{' '}
            <CopyButton text={made.link} what="link" />
          </p>
          <code style={{ overflowWrap: 'anywhere' }}>{made.link}</code>
        </div>
      )}
      {mine.length > 0 && (
        <form className="stack" aria-label="Invite a person" onSubmit={(event) => void invite(event)}>
          <label className="field">
            <span>Name of the new person</span>
            <input
              className="input"
              name="name"
              autoComplete="off"
              pattern="[A-Za-z0-9_][A-Za-z0-9_.@\-]*"
              title="Letters, digits and _ . @ -"
              maxLength={64}
              required
            />
          </label>
          <label className="field">
            <span>Project</span>
            <select className="input" name="project">
              {mine.map(({ project, name }) => (
                <option key={project} value={project}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <label className="field">
            <span>May</span>
            <select className="input" name="role" defaultValue="operator">
              {roles.map((role) => (
                <option key={role} value={role}>
                  {roleChoices[role]}
                </option>
              ))}
            </select>
          </label>
          {proof === 'needed' && <PasswordAgain words="Your password, to invite somebody" />}
          <Refusal problem={problem} />
          <button type="submit" className="button" style={{ justifySelf: 'start' }}>
            Make a link
          </button>
        </form>
      )}
    </section>
  )
}

const roleChoices: Record<(typeof roles)[number], string> = {
  viewer: 'viewer: watch',
  operator: 'operator: also start agents, write to them, stop them',
  approver: 'approver: also allow and deny',
  admin: 'admin: also change who is in the project',
  owner: 'owner: everything',
}
