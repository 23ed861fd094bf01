import type { Problem } from '@hotline/protocol/error'
import type { KeyRow } from '@hotline/protocol/http'
import { type FormEvent, type ReactNode, useState } from 'react'
import { ask } from '../live/ask.ts'
import { useLive } from '../live/hotline.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { agoText, exactText } from '../text/time.ts'

/** In which browsers one is signed in, and the ways out of them. */
export function SignIns(props: {
  keys: readonly KeyRow[] | undefined
  load: () => Promise<void>
  problem: Problem | undefined
}): ReactNode {
  const { link, leave } = useLive()
  const { keys, load } = props
  const [leaving, setLeaving] = useState(false)
  const [refused, setRefused] = useState<Problem>()
  const browsers = (keys ?? []).filter(({ kind }) => kind === 'ses')

  async function end({ key }: KeyRow): Promise<void> {
    const answer = await link.request('DELETE', `/api/keys/${key}`)
    setRefused(answer.ok ? undefined : answer.problem)
    await load()
  }
  return (
    <section className="stack" aria-label="Where you are signed in">
      <h2>Where you are signed in</h2>
      <Refusal problem={props.problem ?? refused} />
      {keys === undefined && props.problem === undefined && <p className="quiet">Looking …</p>}
      <table>
        <tbody>
          {browsers.map((row) => (
            <tr key={row.key}>
              <td>
                {row.name}
                {row.current && <span className="quiet"> · this one</span>}
                <div className="quiet small" title={exactText(row.lastUsedAt ?? row.createdAt)}>
                  {seenText(row)}
                </div>
              </td>
              <td className="end">
                {row.current ? (
                  <button
                    type="button"
                    className="button"
                    onClick={() => void ask('POST', '/api/auth/sign-out').then(leave)}
                  >
                    Sign out
                  </button>
                ) : (
                  <button
                    type="button"
                    className="button plain"
                    aria-label={`Sign out ${row.name}, ${seenText(row)}`}
                    onClick={() => void end(row)}
                  >
                    Sign out
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {leaving ? (
        <LeaveEverywhere keys={keys ?? []} stay={() => setLeaving(false)} />
      ) : (
        <button type="button" className="button" style={{ justifySelf: 'start' }} onClick={() => setLeaving(true)}>
          Sign out everywhere …
        </button>
      )}
    </section>
  )
}

function LeaveEverywhere({ keys, stay }: { keys: readonly KeyRow[]; stay: () => void }): ReactNode {
  const { leave: leaveBrowser } = useLive()
  const [problem, setProblem] = useState<Problem>()
  const browsers = keys.filter(({ kind }) => kind === 'ses').length
  const others = keys.filter(({ kind }) => kind === 'pat' || kind === 'svc' || kind === 'inv').length
  async function leave(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const revoke = new FormData(event.currentTarget).get('keys') === 'revoke'
    const answer = await ask('POST', '/api/auth/sign-out-everywhere', { keys: revoke ? 'revoke' : 'keep' })
    if (answer.ok) await leaveBrowser()
    else setProblem(answer.problem)
  }
  return (
    <form className="stack" aria-label="Sign out everywhere" onSubmit={(event) => void leave(event)}>
      <p>
        {browsers === 1 ? 'This browser is signed out' : `All ${browsers} browsers are signed out, this one too`}; what
        is open there ends at once. Sessions of agents go on.
      </p>
      {others > 0 && (
        <fieldset className="ticks">
          <label>
            <input type="checkbox" name="keys" value="revoke" />
            {others === 1
              ? 'Revoke the token or API key too: what uses it has to be let in again'
              : `Revoke all ${others} tokens and API keys too: what uses them has to be let in again`}
          </label>
        </fieldset>
      )}
      <Refusal problem={problem} />
      <div className="actions" style={{ justifyContent: 'start' }}>
        <button type="submit" className="button strong">
          Sign out everywhere
        </button>
        <button type="button" className="button plain" onClick={stay}>
          Cancel
        </button>
      </div>
    </form>
  )
}

function seenText({ lastUsedAt, lastUsedFrom, createdAt }: KeyRow): string {
  const from = lastUsedFrom === null ? '' : ` from ${lastUsedFrom}`
  const seen = agoText(Date.now() - Date.parse(lastUsedAt ?? createdAt))
  return lastUsedAt === null ? `signed in ${seen}` : `seen ${seen}${from}`
}
