import { viewLines } from '@hotline/core/place-words'
import type { Bring, FolderView, Isolation } from '@hotline/protocol/place'
import { type ReactNode, useState } from 'react'
import type { FolderReading } from '../live/use-folder-view.ts'
import { countText } from '../text/amounts.ts'

const words: Record<Isolation, string> = {
  worktree: 'In a worktree of its own, beside what you have open',
  copy: 'In a copy of the folder',
  in_place: 'In the folder itself',
}

/** Where the agent will work, what is not there, and the other ways. Its choices are fields of the form around it. */
export function StartPlace({ reading }: { reading: FolderReading }): ReactNode {
  switch (reading.status) {
    case 'none':
      return null
    case 'asking':
      return (
        <p className="small" role="status">
          Looking at the folder …
        </p>
      )
    case 'refused':
      return (
        <p className="small warned" role="status">
          {reading.problem.detail}
        </p>
      )
    case 'seen':
      return <Ways key={`${reading.view.folder} ${reading.view.standard}`} view={reading.view} />
  }
}

function Ways({ view }: { view: FolderView }): ReactNode {
  const [isolation, setIsolation] = useState<Isolation>(view.standard)
  const [bring, setBring] = useState<readonly Bring[]>([])
  const { uncommitted, ignored } = view
  const along: readonly (readonly [what: Bring, count: number, words: string])[] = [
    ['uncommitted', uncommitted?.count ?? 0, 'uncommitted file'],
    ['ignored', ignored?.count ?? 0, 'ignored file'],
  ]
  return (
    <fieldset className="field ticks">
      <legend>Where it works</legend>
      {view.possible.map((way) => (
        <label key={way}>
          <input
            type="radio"
            name="isolation"
            value={way}
            checked={isolation === way}
            onChange={() => setIsolation(way)}
          />{' '}
          {words[way]}
        </label>
      ))}
      <div className="small" role="status">
        {viewLines(view, isolation, bring).map((line) => (
          <p key={line} className="place-line">
            {line}
          </p>
        ))}
      </div>
      {isolation === 'worktree' &&
        along.map(
          ([what, count, name]) =>
            count > 0 && (
              <label key={what}>
                <input
                  type="checkbox"
                  name="bring"
                  value={what}
                  checked={bring.includes(what)}
                  onChange={({ target }) =>
                    setBring(target.checked ? [...bring, what] : bring.filter((one) => one !== what))
                  }
                />{' '}
                Take {count === 1 ? 'the' : 'all'} {countText(count, name)} along
              </label>
            ),
        )}
    </fieldset>
  )
}

/** What was chosen, as the start takes it. */
export function chosenPlace(data: FormData): { isolation?: Isolation; bring?: Bring[] } {
  const isolation = data.get('isolation')
  const bring = data.getAll('bring').filter((what) => what === 'uncommitted' || what === 'ignored')
  if (isolation !== 'worktree' && isolation !== 'copy' && isolation !== 'in_place') return {}
  return { isolation, ...(bring.length > 0 ? { bring } : {}) }
}
