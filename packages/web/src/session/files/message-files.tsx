import type { Attachment } from '@hotline/protocol/attachment'
import { type ReactNode, useRef, useState } from 'react'
import { OneName } from '../../parts/legible.tsx'
import { openDialog } from '../../parts/open-dialog.ts'
import { legibleName } from '../../text/legible.ts'
import { sizeText } from '../../text/amounts.ts'

/** What a browser shows as a picture, and as nothing else. */
const pictures: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp'])

/** Files that came with a message: pictures as they look, all of them to be saved. */
export function MessageFiles({
  session,
  files,
}: {
  session: string
  files: readonly Attachment[] | undefined
}): ReactNode {
  if (!files || files.length === 0) return undefined
  return (
    <ul className="files" aria-label="Files">
      {files.map((file) => (
        <li key={`${file.digest} ${file.name}`} className={pictures.has(file.type) ? 'pictured' : 'file'}>
          {pictures.has(file.type) ? (
            <Picture session={session} file={file} />
          ) : (
            <Saved session={session} file={file} />
          )}
        </li>
      ))}
    </ul>
  )
}

/** In a line, where there is no room to show them. */
export function FileNames({ files }: { files: readonly Pick<Attachment, 'name'>[] | undefined }): ReactNode {
  if (!files || files.length === 0) return undefined
  return (
    <span className="small quiet">
      with <OneName text={files.map(({ name }) => name).join(', ')} />
    </span>
  )
}

function addressOf(session: string, { digest, name }: Attachment): string {
  return `/api/sessions/${session}/attachments/${digest}?name=${encodeURIComponent(name)}`
}

function Saved({ session, file }: { session: string; file: Attachment }): ReactNode {
  return (
    <a className="save" href={addressOf(session, file)} download={file.name}>
      <span className="name">
        <OneName text={file.name} />
      </span>
      <span className="small quiet">{sizeText(file.bytes)}</span>
      <span className="small">Download</span>
    </a>
  )
}

/** It has its room before it is there, so that nothing moves under a reader. */
function Picture({ session, file }: { session: string; file: Attachment }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  const [isLost, setLost] = useState(false)
  const name = legibleName(file.name)
  const address = addressOf(session, file)
  if (isLost) {
    return (
      <div className="file">
        <Saved session={session} file={file} />
        <span className="small quiet">cannot be shown: it is damaged, or not here any more</span>
      </div>
    )
  }
  return (
    <>
      <button type="button" className="picture" title={`Show ${name}`} onClick={() => openDialog(dialog.current)}>
        <img src={address} alt={name} loading="lazy" decoding="async" onError={() => setLost(true)} />
      </button>
      <dialog ref={dialog} className="picture-large" aria-label={name}>
        <img src={address} alt="" loading="lazy" />
        <form method="dialog" className="actions">
          <span className="name">
            <OneName text={file.name} /> <span className="small quiet">{sizeText(file.bytes)}</span>
          </span>
          <a className="button plain" href={address} download={file.name}>
            Download
          </a>
          <button type="submit" className="button">
            Close
          </button>
        </form>
      </dialog>
    </>
  )
}
