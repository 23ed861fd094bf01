import type { ReactNode } from 'react'
import { OneName } from '../../parts/legible.tsx'
import { sizeText } from '../../text/amounts.ts'
import { dropFiles, sendAgain, type Upload } from './uploads.ts'

/** What goes with the next message: how far it is, and what can be done about it. */
export function ChosenFiles({ session, uploads }: { session: string; uploads: readonly Upload[] }): ReactNode {
  if (uploads.length === 0) return undefined
  return (
    <ul className="files chosen" aria-label="Files of this message">
      {uploads.map((upload) => (
        <li key={upload.key} className={upload.at.is === 'refused' ? 'file danger' : 'file'}>
          <span className="name">
            <OneName text={upload.name} />
          </span>
          <span className="small quiet">{sizeText(upload.bytes)}</span>
          <Standing upload={upload} />
          {upload.at.is === 'refused' && upload.at.again && (
            <button type="button" className="button plain" onClick={() => sendAgain(session, upload.key)}>
              Try again
            </button>
          )}
          <button
            type="button"
            className="button plain"
            aria-label={`Remove ${upload.name}`}
            onClick={() => dropFiles(session, [upload.key])}
          >
            ×
          </button>
        </li>
      ))}
    </ul>
  )
}

function Standing({ upload: { name, at } }: { upload: Upload }): ReactNode {
  switch (at.is) {
    case 'on its way':
      return <progress aria-label={`${name} is being uploaded`} value={at.part} max={1} />
    case 'refused':
      return (
        <span className="small danger" role="alert">
          {at.why}
        </span>
      )
    case 'there':
      return undefined
  }
}
