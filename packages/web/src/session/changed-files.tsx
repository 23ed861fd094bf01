import type { SessionPicture } from '@hotline/client/session-view'
import { type ReactNode, useMemo } from 'react'
import { legibleName } from '../text/legible.ts'

/** More are counted and not named here. */
const namedMax = 12

/** The files that an agent has changed, as far as they are in sight: counted, and the last ones named. */
export function ChangedFiles({ picture: { transcript, hasOlder } }: { picture: SessionPicture }): ReactNode {
  const paths = useMemo(() => {
    const all = transcript.items.flatMap((item) =>
      item.kind === 'step' && item.outcome === 'done' ? item.changes.map(({ path }) => path) : [],
    )
    return [...new Set(all.toReversed())]
  }, [transcript])
  if (paths.length === 0) return undefined
  const more = paths.length - namedMax
  return (
    <>
      <h2>
        Files that its steps changed{' '}
        <span title={hasOlder ? 'In what is loaded; there is more above' : undefined}>
          {paths.length}
          {hasOlder ? '+' : ''}
        </span>
      </h2>
      <ul className="plain files" aria-label="Changed files">
        {paths.slice(0, namedMax).map((path) => (
          <li key={path} className="mono" title={legibleName(path)}>
            <Path path={path} />
          </li>
        ))}
        {more > 0 && <li className="quiet small">and {more} more</li>}
      </ul>
    </>
  )
}

/** The folders next to a file say more of it than those at the root do. */
const foldersShown = 2

/** A path that is too long for its place loses its beginning, then its middle, never its name. */
function Path({ path }: { path: string }): ReactNode {
  const at = path.lastIndexOf('/') + 1
  const folders = path.slice(0, at).split('/').slice(0, -1)
  const near = folders.length > foldersShown + 1 ? `…/${folders.slice(-foldersShown).join('/')}/` : path.slice(0, at)
  return (
    <>
      <span className="folder">{legibleName(near)}</span>
      <span className="name">{legibleName(path.slice(at))}</span>
    </>
  )
}
