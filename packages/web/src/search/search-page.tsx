import type { SearchHit } from '@hotline/protocol/search'
import { Link as To, useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, type ReactNode, useEffect, useRef } from 'react'
import { useLive } from '../live/hotline.tsx'
import { Failed } from '../parts/failed.tsx'
import { Legible, OneName } from '../parts/legible.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { clockText, exactText } from '../text/time.ts'
import { groupHits, type HitGroup, markedPieces } from './group-hits.ts'
import { kindWord, kindWords, readSearchAddress, type SearchAddress } from './search-address.ts'
import { useHitKeys } from './use-hit-keys.ts'
import { useSearchPages } from './use-search.ts'

/** Everything that was said, found by its words. What is looked for is in the address. */
export function SearchPage(): ReactNode {
  const address = useSearch({ from: '/search' })
  const navigate = useNavigate()
  const { box, onKeyDown } = useHitKeys()
  const ask = (next: SearchAddress): void => void navigate({ to: '/search', search: next })
  const key = JSON.stringify(address)
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- the keys of what stands in it
    <div className="settings searching" ref={box} onKeyDown={onKeyDown}>
      <div>
        <h1>Search</h1>
        <Fields address={address} ask={ask} />
        {address.q === undefined ? <Hint /> : <Results key={key} address={address} />}
      </div>
    </div>
  )
}

function Fields({ address, ask }: { address: SearchAddress; ask: (next: SearchAddress) => void }): ReactNode {
  const { me } = useLive()
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])
  // An address that was gone back to says what is in the field.
  useEffect(() => {
    if (field.current) field.current.value = address.q ?? ''
  }, [address.q])
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault()
    ask(readSearchAddress(Object.fromEntries(new FormData(event.currentTarget))))
  }
  return (
    <form className="search-fields" role="search" aria-label="Everything that was said" onSubmit={submit}>
      <label className="field words">
        <span>Words, "phrases", beginnings*, -not</span>
        <input
          ref={field}
          className="input"
          name="q"
          type="search"
          maxLength={200}
          autoComplete="off"
          spellCheck={false}
          defaultValue={address.q}
        />
      </label>
      {me.projects.length > 1 && (
        <Choose name="project" label="Project" all="All" chosen={address.project}>
          {me.projects.map(({ project, name }) => [project, name])}
        </Choose>
      )}
      <Choose name="kind" label="What it is" all="Everything" chosen={address.kind}>
        {Object.entries(kindWords)}
      </Choose>
      <button type="submit" className="button">
        Search
      </button>
    </form>
  )
}

function Choose({
  name,
  label,
  all,
  chosen,
  children,
}: {
  name: string
  label: string
  all: string
  chosen: string | undefined
  children: readonly (readonly [string, string])[]
}): ReactNode {
  return (
    <label className="field">
      <span>{label}</span>
      <select
        key={chosen}
        className="input"
        name={name}
        defaultValue={chosen ?? ''}
        onChange={(event) => event.currentTarget.form?.requestSubmit()}
      >
        <option value="">{all}</option>
        {children.map(([value, word]) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
      </select>
    </label>
  )
}

function Hint(): ReactNode {
  return (
    <p className="quiet">
      Finds what people and agents said, what they did and what programs printed, in all sessions and cards that you may
      read. Keys: <kbd className="key">↓</kbd> into what was found, <kbd className="key">↵</kbd> opens the place.
    </p>
  )
}

function Results({ address }: { address: SearchAddress }): ReactNode {
  const { hits, next, isMaking, problem, busy, more, again } = useSearchPages(address)
  if (hits === undefined) {
    if (problem) return <Failed what="This could not be searched." problem={problem} retry={again} />
    return (
      <p className="quiet" role="status">
        Searching …
      </p>
    )
  }
  return (
    <>
      {isMaking && <p className="notice">The index is still being made: there may be more.</p>}
      {hits.length === 0 && next === null && (
        <p className="quiet" role="status">
          Nothing was found. All words have to be in one place: try fewer, or a beginning with *.
        </p>
      )}
      <div className="hit-groups" aria-busy={busy}>
        {groupHits(hits).map((group) => (
          <Group key={group.stream} group={group} />
        ))}
      </div>
      <Refusal problem={problem} />
      {next !== null && (
        <button type="button" className="button" disabled={busy} onClick={more} style={{ justifySelf: 'start' }}>
          {busy ? 'Searching …' : 'Show more'}
        </button>
      )}
    </>
  )
}

function Group({ group: { hits } }: { group: HitGroup }): ReactNode {
  const { me } = useLive()
  const [first] = hits
  if (!first) return undefined
  const { title, session, agent, project } = first
  const facts = [
    session === null ? 'card' : agent,
    me.projects.length > 1 ? me.projects.find((one) => one.project === project)?.name : null,
  ]
  const known = facts.filter((fact) => fact != null)
  return (
    <section className="hit-group">
      <h2>
        <OneName text={title ?? 'Without a title'} />{' '}
        <span className="small quiet about">
          <Legible text={known.join(' · ')} place="name" />
        </span>
      </h2>
      <ul>
        {hits.map((hit) => (
          <li key={`${hit.seq} ${hit.snippet}`}>
            <Hit hit={hit} />
          </li>
        ))}
      </ul>
    </section>
  )
}

/** Leads to the place in the conversation, or to the card. */
function Hit({ hit }: { hit: SearchHit }): ReactNode {
  const { session, task, seq, subject } = hit
  if (session !== null) {
    const at = { at: seq, ...(subject === null ? {} : { of: subject }) }
    return (
      <To className="hit" to="/sessions/$session" params={{ session }} search={at}>
        <Said hit={hit} />
      </To>
    )
  }
  return (
    <To className="hit" to="/tasks/$task" params={{ task: task ?? '' }}>
      <Said hit={hit} />
    </To>
  )
}

function Said({ hit }: { hit: SearchHit }): ReactNode {
  const { at, kind, name, actor } = hit
  return (
    <>
      <span className="small quiet">
        <time title={exactText(at)}>{clockText(at, Date.now())}</time> · <OneName text={name ?? actor.kind} /> ·{' '}
        {kindWord[kind]}
      </span>
      <span className={kind === 'output' || kind === 'step' ? 'snippet mono' : 'snippet'}>
        {markedPieces(hit).map(({ text, isFound }, place) =>
          isFound ? (
            // oxlint-disable-next-line react/no-array-index-key -- pieces of one text have no other name
            <mark key={place}>
              <Legible text={text} place="name" />
            </mark>
          ) : (
            // oxlint-disable-next-line react/no-array-index-key -- as above
            <Legible key={place} text={text} place="name" />
          ),
        )}
      </span>
    </>
  )
}
