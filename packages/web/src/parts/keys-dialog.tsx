import { type ReactNode, type RefObject, useId } from 'react'
import { commandKey } from '../live/keyboard.ts'

const keys = (): readonly (readonly [key: string, what: string])[] => [
  [commandKey('K'), 'find anything: sessions, pages, commands'],
  ['/', 'find in the list'],
  ['j k', 'next and previous session'],
  ['↑ ↓ Home End', 'the same, from a session'],
  ['Enter', 'open it'],
  ['space', 'a short look at it, without leaving'],
  ['← ↑ ↓ →', 'from card to card on the board; with Shift, move the card'],
  ['n', 'new session'],
  ['a', 'allow what is asked first'],
  ['d', 'deny it'],
  ['e', 'edit it, then allow'],
  ['c', 'comment for the agent'],
  ['x', 'mark what is shown, to answer it with others'],
  ['A D', 'allow or deny all that is marked'],
  ['z', 'snooze it for yourself, or bring it back'],
  ['s', 'stop this turn: hold it'],
  ['w', 'send what waits first into this turn, where the agent can take it'],
  [commandKey('Enter'), 'the same with what you write'],
  [`Shift ${commandKey('F')}`, 'find in the output of a program'],
  ['?', 'these keys'],
]

/** All keys. */
export function KeysDialog({ dialog }: { dialog: RefObject<HTMLDialogElement | null> }): ReactNode {
  const title = useId()
  return (
    <dialog ref={dialog} aria-labelledby={title}>
      <h2 id={title}>Keys</h2>
      <dl className="keys">
        {keys().map(([key, what]) => (
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
