import type { EditFault } from '@hotline/core/edited-input'
import { changeMembers, faultOfMember, type WrittenMember, writtenMembers } from '@hotline/core/member-edits'
import { type ReactNode, useId, useState } from 'react'
import { Legible } from '../parts/legible.tsx'

const kinds: Record<WrittenMember['kind'], string> = {
  text: 'text',
  number: 'number',
  'yes or no': 'yes or no',
  object: 'as JSON',
  array: 'as JSON',
  null: 'as JSON, empty',
}

/**
 * The members of an input, each in a field of its own type: what is typed takes the place of that one value, and all else stays as
 * it is written. `text`: an object, as it stands when the form comes up.
 */
export function EditForm({
  text,
  change,
  leave,
  fault,
}: {
  text: string
  change: (text: string) => void
  leave: () => void
  fault: EditFault | undefined
}): ReactNode {
  const [base] = useState(text)
  const [changed, setChanged] = useState<ReadonlyMap<string, string>>(new Map())
  const wrong = fault && changeMembers(base, changed).memberAt(fault.at)
  const set = (name: string, source: string): void => {
    const next = new Map(changed).set(name, source)
    setChanged(next)
    change(changeMembers(base, next).text)
  }
  return (
    <div
      className="stack edit-form"
      role="group"
      aria-label="What will run in its place, by its parts"
      onKeyDown={(event) => {
        if (event.key === 'Escape') leave()
      }}
    >
      {(writtenMembers(base) ?? []).map((member, at) => (
        <Member
          key={member.name}
          member={member}
          source={changed.get(member.name) ?? member.source}
          set={(source) => set(member.name, source)}
          isFirst={at === 0}
          why={wrong === member.name ? fault?.why : undefined}
        />
      ))}
    </div>
  )
}

function Member({
  member: { name, kind },
  source,
  set,
  isFirst,
  why,
}: {
  member: WrittenMember
  source: string
  set: (source: string) => void
  isFirst: boolean
  why: string | undefined
}): ReactNode {
  const described = useId()
  const label = (
    <span>
      <Legible text={name} place="name" /> <span className="quiet">{kinds[kind]}</span>
    </span>
  )
  const about = { 'aria-label': name, 'aria-invalid': why !== undefined, 'aria-describedby': why && described }
  const shown = kind === 'text' ? (JSON.parse(source) as string) : source
  return (
    <label className="field">
      {label}
      {kind === 'yes or no' ? (
        <input
          type="checkbox"
          {...about}
          checked={source === 'true'}
          onChange={({ target }) => set(String(target.checked))}
        />
      ) : kind === 'number' ? (
        <input
          className="input mono"
          inputMode="decimal"
          {...about}
          value={shown}
          onChange={({ target }) => set(target.value)}
        />
      ) : (
        <textarea
          className="input mono"
          {...about}
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- it was asked for with this very key
          autoFocus={isFirst}
          rows={Math.min(12, shown.split('\n').length)}
          spellCheck={false}
          value={shown}
          onChange={({ target }) => set(kind === 'text' ? JSON.stringify(target.value) : target.value)}
        />
      )}
      {why !== undefined && (
        <span id={described} className="danger" role="alert">
          {name}: {faultOfMember(kind, source) ?? why} Nothing was sent.
        </span>
      )}
    </label>
  )
}
