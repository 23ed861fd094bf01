import { type FormEvent, type ReactNode, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { legibleName } from '../text/legible.ts'

/** What a key is made of: the body of `POST /api/keys`. */
export interface WantedKey {
  kind: 'pat' | 'svc' | 'run'
  name: string
  days: number
  scopes?: string[]
  projects?: string[]
}

const kinds = [
  ['pat', 'for myself', 'It may do what you may.'],
  ['svc', 'for a program', 'It has a name of its own in the log, and what is of high risk is never its to allow.'],
  ['run', 'for a machine that runs agents', 'It carries agents, and decides nothing.'],
] as const

const scopes = [
  ['read', 'read'],
  ['write', 'start agents, write and steer'],
  ['decide', 'allow and deny'],
  ['decide_high', 'allow what is of high risk'],
  ['admin', 'administer: members, webhooks, rules of a project, deleting'],
] as const

const days = [7, 30, 90, 365] as const

/** Makes a key: whose, how long it counts, and what it is limited to. */
export function NewKey({ create }: { create: (key: WantedKey) => void }): ReactNode {
  const { me } = useLive()
  const [kind, setKind] = useState<WantedKey['kind']>('pat')
  const [isLimited, setIsLimited] = useState(false)
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault()
    const said = new FormData(event.currentTarget)
    const all = (name: string): string[] => said.getAll(name).filter((one) => typeof one === 'string')
    const [chosen, projects] = [all('scope'), all('project')]
    create({
      kind,
      name: all('name')[0] ?? '',
      days: Number(said.get('days')),
      ...(isLimited && kind !== 'run' && chosen.length > 0 ? { scopes: chosen } : {}),
      ...(isLimited && projects.length > 0 ? { projects } : {}),
    })
  }
  return (
    <form className="stack" aria-label="New token" onSubmit={submit}>
      <div className="actions" style={{ justifyContent: 'start', flexWrap: 'wrap' }}>
        <input
          className="input"
          style={{ flex: '1 1 160px', maxWidth: 220 }}
          name="name"
          aria-label="Name of the token"
          placeholder="Name of the token"
          maxLength={100}
          required
        />
        <select
          className="input"
          aria-label="Whose it is"
          style={{ flex: '1 1 160px', maxWidth: 220 }}
          value={kind}
          onChange={(event) => setKind(kinds.find(([one]) => one === event.target.value)?.[0] ?? 'pat')}
        >
          {kinds.map(([one, word]) => (
            <option key={one} value={one}>
              {word}
            </option>
          ))}
        </select>
        <select
          className="input"
          name="days"
          aria-label="How long it counts"
          style={{ flex: '1 1 100px', maxWidth: 140 }}
          defaultValue={90}
        >
          {days.map((one) => (
            <option key={one} value={one}>
              {one} days
            </option>
          ))}
        </select>
        <button type="submit" className="button">
          Make a token
        </button>
      </div>
      <p className="small quiet">{kinds.find(([one]) => one === kind)?.[2]}</p>
      <label>
        <input type="checkbox" checked={isLimited} onChange={(event) => setIsLimited(event.target.checked)} /> Limit
        what it may do, or where
      </label>
      {isLimited && (
        <>
          {kind !== 'run' && (
            <fieldset className="field ticks">
              <legend>It may (none chosen: all that you may)</legend>
              {scopes
                .filter(([scope]) => kind === 'pat' || scope !== 'decide_high')
                .map(([scope, words]) => (
                  <label key={scope}>
                    <input type="checkbox" name="scope" value={scope} /> {words}
                  </label>
                ))}
            </fieldset>
          )}
          <fieldset className="field ticks">
            <legend>In these projects alone (none chosen: in all of yours)</legend>
            {me.projects.map(({ project, name }) => (
              <label key={project}>
                <input type="checkbox" name="project" value={project} /> {legibleName(name)}
              </label>
            ))}
          </fieldset>
        </>
      )}
    </form>
  )
}
