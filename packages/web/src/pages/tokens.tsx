import type { Problem } from '@hotline/protocol/error'
import type { KeyRow } from '@hotline/protocol/http'
import { type FormEvent, type ReactNode, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { legibleName } from '../text/legible.ts'
import { clockText } from '../text/time.ts'
import { NewKey, type WantedKey } from './new-key.tsx'
import { usePassword } from './use-password.ts'

/** What counts for longer than anybody can ask for counts until it is revoked. */
const endlessMs = 10 * 365 * 24 * 60 * 60 * 1_000

const kinds: Record<string, string> = {
  rst: 'link, once',
  pat: 'personal token',
  svc: 'API key',
  run: 'machine',
}

/** Personal tokens, API keys and machines; a new one is shown once. */
export function Tokens({ keys, load }: { keys: readonly KeyRow[] | undefined; load: () => Promise<void> }): ReactNode {
  const { link, me } = useLive()
  const [made, setMade] = useState<string>()
  const [problem, setProblem] = useState<Problem>()
  /** The one that waits for the password. */
  const [waiting, setWaiting] = useState<WantedKey>()
  const password = usePassword()

  async function create(key: WantedKey, said: FormData): Promise<void> {
    setMade(undefined)
    setProblem(undefined)
    setWaiting(key)
    const done = await password.send(said, async () => {
      const answer = await link.request<{ token: string }>('POST', '/api/keys', key)
      if (answer.ok) setMade(answer.value.token)
      return answer
    })
    if (done) setWaiting(undefined)
    await load()
  }
  async function revoke(key: string): Promise<void> {
    const answer = await link.request('DELETE', `/api/keys/${key}`)
    setProblem(answer.ok ? undefined : answer.problem)
    await load()
  }
  function confirm(event: FormEvent<HTMLFormElement>, key: WantedKey): void {
    event.preventDefault()
    void create(key, new FormData(event.currentTarget))
  }
  return (
    <section className="stack" aria-label="Tokens">
      <h2>Tokens</h2>
      <Refusal problem={problem ?? password.problem} />
      <table>
        <tbody>
          {(keys ?? [])
            .filter(({ kind }) => kind !== 'ses' && kind !== 'inv')
            .map((key) => (
              <tr key={key.key}>
                <td>{legibleName(key.name)}</td>
                <td className="quiet">
                  {kinds[key.kind] ?? key.kind}
                  <span className="small"> · {limitsOf(key, me.projects)}</span>
                </td>
                <td className="quiet small">
                  {key.lastUsedAt ? `used ${clockText(key.lastUsedAt, Date.now())}` : 'never used'}
                </td>
                <td>
                  <button
                    type="button"
                    className="button plain"
                    aria-label={`Revoke ${legibleName(key.name)}`}
                    onClick={() => void revoke(key.key)}
                  >
                    Revoke
                  </button>
                </td>
              </tr>
            ))}
        </tbody>
      </table>
      {made !== undefined && (
        <p role="status">
          Copy it now, it is not shown again: <code>{made}</code> <CopyButton text={made} what="the token" />
        </p>
      )}
      {waiting !== undefined && password.isAsked && (
        <form className="stack" aria-label="Confirm your password" onSubmit={(event) => confirm(event, waiting)}>
          <PasswordAgain
            words={`Your password, to make “${waiting.name}” (it is asked for again after five minutes)`}
          />
          <div className="actions" style={{ justifyContent: 'start' }}>
            <button type="submit" className="button">
              Confirm
            </button>
            <button type="button" className="button plain" onClick={() => setWaiting(undefined)}>
              Cancel
            </button>
          </div>
        </form>
      )}
      <NewKey create={(key) => void create(key, new FormData())} />
    </section>
  )
}

/** What it may do, where, and until when. */
function limitsOf(
  { scopes, projects, expiresAt }: KeyRow,
  known: readonly { project: string; name: string }[],
): string {
  const nameOf = (project: string): string => legibleName(known.find((one) => one.project === project)?.name ?? project)
  return [
    ...(scopes.length === 0 ? [] : [scopes.join(', ')]),
    ...(projects === null ? [] : [`in ${projects.map(nameOf).join(', ')}`]),
    ...(Date.parse(expiresAt) - Date.now() > endlessMs ? [] : [`until ${clockText(expiresAt, Date.now())}`]),
  ].join(' · ')
}
