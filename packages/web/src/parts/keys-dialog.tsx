import { type ReactNode, type RefObject, useId } from 'react'

const keys = [
  ['j k', 'next and previous session'],
  ['Enter', 'open it'],
  ['n', 'new session'],
  ['a', 'allow what is asked first'],
  ['d', 'deny it'],
  ['e', 'edit it, then allow'],
  ['c', 'comment for the agent'],
  ['/', 'find in the list'],
  ['?', 'these keys'],
] as const

/** All keys. */
export function KeysDialog({ dialog }: { dialog: RefObject<HTMLDialogElement | null> }): ReactNode {
  const title = useId()
  return (
    <dialog ref={dialog} aria-labelledby={title}>
      <h2 id={title}>Keys</h2>
      <dl className="keys">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd className="key">{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button type="submit" className="button">
          Close
        </button>
      </form>
    </dialog>
  )
}
