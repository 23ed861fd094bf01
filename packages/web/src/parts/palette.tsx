import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react'
import { openDialog } from './open-dialog.ts'

/** Something that can be found by its words and done. */
export interface Choice {
  id: string
  kind: 'Sessions' | 'Pages' | 'Commands'
  label: string
  /** What stands beside it, quietly; it is searched too. */
  hint?: string
  key?: string
  run: () => void
}

/** More than this is not read by anybody; another word finds the rest. */
const choicesMax = 40
const kinds = ['Sessions', 'Pages', 'Commands'] as const

/** Those that have every word, the ones whose name begins with it first. */
export function findChoices(choices: readonly Choice[], wanted: string): readonly Choice[] {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean)
  const placeOf = ({ label }: Choice): number => {
    const at = label.toLowerCase().indexOf(words[0] ?? '')
    return at < 0 ? Number.MAX_SAFE_INTEGER : at
  }
  const having = choices.filter((choice) => {
    const text = `${choice.label} ${choice.hint ?? ''}`.toLowerCase()
    return words.every((word) => text.includes(word))
  })
  const sorted = words.length === 0 ? having : having.toSorted((a, b) => placeOf(a) - placeOf(b))
  return kinds.flatMap((kind) => sorted.filter((choice) => choice.kind === kind)).slice(0, choicesMax)
}

/** Everything that can be gone to or done, by its words; open for as long as it is there. */
export function Palette({ choices, closed }: { choices: readonly Choice[]; closed: () => void }): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => openDialog(dialog.current), [])
  const [wanted, setWanted] = useState('')
  const [at, setAt] = useState(0)
  const name = useId()
  const found = findChoices(choices, wanted)
  const chosen = found[Math.min(at, found.length - 1)]
  useEffect(() => {
    document.getElementById(`${name}-${chosen?.id}`)?.scrollIntoView({ block: 'nearest' })
  }, [name, chosen?.id])

  /** Told at once: the dialog's own event comes later, and would close what was opened again meanwhile. */
  function close(): void {
    dialog.current?.close()
    closed()
  }
  function take(choice: Choice | undefined): void {
    if (!choice) return
    close()
    choice.run()
  }
  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'ArrowDown') setAt(Math.min(found.length - 1, at + 1))
    else if (event.key === 'ArrowUp') setAt(Math.max(0, Math.min(at, found.length - 1) - 1))
    else if (event.key === 'Enter') take(chosen)
    else if (event.key === 'Escape') close()
    else return
    event.preventDefault()
  }
  return (
    <dialog ref={dialog} className="palette" aria-label="Search" onClose={closed}>
      <input
        className="input"
        role="combobox"
        aria-label="Find a session, a page or a command"
        aria-expanded="true"
        aria-controls={`${name}-list`}
        aria-activedescendant={chosen && `${name}-${chosen.id}`}
        placeholder="Find a session, a page or a command"
        autoComplete="off"
        spellCheck={false}
        value={wanted}
        onChange={(event) => {
          setWanted(event.target.value)
          setAt(0)
        }}
        onKeyDown={onKeyDown}
      />
      <div id={`${name}-list`} role="listbox" aria-label="Found" className="choices" tabIndex={-1}>
        {kinds.map((kind) => {
          const group = found.filter((choice) => choice.kind === kind)
          if (group.length === 0) return undefined
          return (
            <div key={kind} role="group" aria-label={kind}>
              <h2 aria-hidden="true">{kind}</h2>
              {group.map((choice) => (
                // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the keys are the box's
                <div
                  key={choice.id}
                  id={`${name}-${choice.id}`}
                  role="option"
                  tabIndex={-1}
                  aria-selected={choice === chosen}
                  className="choice"
                  onClick={() => take(choice)}
                >
                  <span className="title">{choice.label}</span>
                  {choice.hint !== undefined && <span className="small quiet">{choice.hint}</span>}
                  {choice.key !== undefined && <kbd className="key">{choice.key}</kbd>}
                </div>
              ))}
            </div>
          )
        })}
      </div>
      {found.length === 0 && <p className="empty">Nothing is called that.</p>}
    </dialog>
  )
}
