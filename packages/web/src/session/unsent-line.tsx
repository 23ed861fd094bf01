import type { UnsentMessage } from '@hotline/client/unsent'
import { type ReactNode, useState } from 'react'
import { FileNames } from './files/message-files.tsx'
import { useLive } from '../live/hotline.tsx'

/** One's own message that the log does not have yet: on its way, waiting for the server, or refused. */
export function UnsentLine({
  message,
  discard,
  rewrite,
}: {
  message: UnsentMessage
  discard: () => Promise<boolean>
  /** Puts its text back where one writes. */
  rewrite: () => void
}): ReactNode {
  const { contact } = useLive()
  const [tooLate, setTooLate] = useState(false)
  const { problem } = message
  const words = problem?.detail ?? (contact.here ? 'sending …' : tooLate ? 'may have arrived' : 'waits here')
  return (
    <div className="queued">
      <span className={problem ? 'small danger' : 'small quiet'}>{words}</span>
      {message.text !== '' && <div className="said">{message.text}</div>}
      <FileNames files={message.files} />
      {(problem || (!contact.here && !tooLate)) && (
        <button
          type="button"
          className="button plain"
          onClick={() => {
            void discard().then((done) => (done ? rewrite() : setTooLate(true)))
          }}
        >
          {problem ? 'Edit' : 'Take back'}
        </button>
      )}
    </div>
  )
}
