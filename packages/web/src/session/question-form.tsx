import { checkAnswer } from '@hotline/core/question/answer'
import type { Choice, Field } from '@hotline/core/question/form'
import { type FormEvent, type ReactNode, useId, useState } from 'react'

/** The fields of a question. What nobody filled in is no part of the answer. */
export function QuestionForm({
  fields,
  busy,
  answer,
  decline,
}: {
  fields: readonly Field[]
  busy: boolean
  answer: (content: Record<string, unknown>) => void
  decline: () => void
}): ReactNode {
  const [wrong, setWrong] = useState<string>()
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    const content: [string, unknown][] = []
    for (const field of fields) {
      const value = readField(field, data.getAll(field.name).map(String))
      if (value instanceof Unreadable) return setWrong(value.why)
      if (value !== undefined) content.push([field.name, value])
    }
    const checked = checkAnswer(fields, Object.fromEntries(content))
    setWrong(checked.ok ? undefined : checked.why)
    if (checked.ok) answer(checked.content)
  }
  return (
    <form className="stack question" onSubmit={submit}>
      {fields.map((field) => (
        <FieldInput key={field.name} field={field} />
      ))}
      {wrong !== undefined && (
        <p className="small danger" role="alert">
          {wrong}
        </p>
      )}
      <div className="answer">
        <button type="submit" className="button strong" disabled={busy}>
          Answer
        </button>
        <button type="button" className="button" disabled={busy} onClick={decline}>
          Decline
        </button>
      </div>
    </form>
  )
}

/** So many choices stand open beside each other; of more, a list is opened. */
const openChoicesMax = 8

function FieldInput({ field }: { field: Field }): ReactNode {
  const titled = useId()
  const described = useId()
  const { form, name, title, description, isRequired, initial } = field
  const words = (description !== undefined || !isRequired) && (
    <span id={described} className="small quiet">
      {[description, isRequired ? undefined : 'Can be left out.'].filter((part) => part !== undefined).join(' ')}
    </span>
  )
  const common = { name, required: isRequired, 'aria-describedby': words === false ? undefined : described }
  if (form.kind === 'choices') {
    const chosen = Array.isArray(initial) ? (initial as unknown[]) : []
    return (
      <fieldset className="field ticks" aria-describedby={common['aria-describedby']}>
        <legend>{title}</legend>
        {words}
        {form.choices.map((choice, index) => (
          <label key={String(choice.value)}>
            <input type="checkbox" name={name} value={index} defaultChecked={chosen.includes(choice.value)} />{' '}
            {choice.title}
          </label>
        ))}
      </fieldset>
    )
  }
  const yes = typeof initial === 'boolean' ? (initial ? 1 : 0) : undefined
  const one =
    form.kind === 'choice'
      ? { choices: form.choices, initial }
      : form.kind === 'yes_or_no'
        ? { choices: yesOrNo, initial: yes }
        : undefined
  if (one && one.choices.length <= openChoicesMax) {
    return (
      <fieldset className="field ticks" aria-describedby={common['aria-describedby']}>
        <legend>{title}</legend>
        {words}
        {one.choices.map((choice, index) => (
          <label key={String(choice.value)}>
            <input
              type="radio"
              name={name}
              value={index}
              required={isRequired}
              defaultChecked={choice.value === one.initial}
            />{' '}
            {choice.title}
          </label>
        ))}
        {!isRequired && (
          <label className="quiet">
            <input type="radio" name={name} value="" /> None of these
          </label>
        )}
      </fieldset>
    )
  }
  return (
    <label className="field">
      <span id={titled}>{title}</span>
      {words}
      {one ? (
        <Select {...common} aria-labelledby={titled} choices={one.choices} initial={one.initial} />
      ) : form.kind === 'number' ? (
        <input
          className="input"
          type="number"
          step={form.isWhole ? 1 : 'any'}
          min={form.min}
          max={form.max}
          defaultValue={typeof initial === 'number' ? initial : undefined}
          aria-labelledby={titled}
          {...common}
        />
      ) : form.kind === 'json' ? (
        <textarea
          className="input mono"
          rows={4}
          spellCheck={false}
          placeholder="JSON"
          defaultValue={initial === undefined ? undefined : JSON.stringify(initial, undefined, 2)}
          aria-labelledby={titled}
          {...common}
        />
      ) : form.kind === 'text' ? (
        <input
          className="input"
          type="text"
          minLength={form.min}
          maxLength={form.max}
          defaultValue={typeof initial === 'string' ? initial : undefined}
          aria-labelledby={titled}
          {...common}
        />
      ) : undefined}
    </label>
  )
}

const yesOrNo: readonly Choice[] = [
  { value: 1, title: 'Yes' },
  { value: 0, title: 'No' },
]

/** Nothing is chosen until somebody chooses, or the agent has proposed it. */
function Select({
  choices,
  initial,
  ...common
}: {
  name: string
  required: boolean
  choices: readonly Choice[]
  initial: unknown
  'aria-labelledby': string
  'aria-describedby': string | undefined
}): ReactNode {
  const at = choices.findIndex(({ value }) => value === initial)
  return (
    <select className="input" defaultValue={at === -1 ? '' : String(at)} {...common}>
      <option value="">{common.required ? 'Choose …' : '–'}</option>
      {choices.map(({ value, title }, index) => (
        <option key={String(value)} value={index}>
          {title}
        </option>
      ))}
    </select>
  )
}

class Unreadable {
  readonly why: string
  constructor(why: string) {
    this.why = why
  }
}

/** What a field was given, undefined for nothing. A choice comes as its place in the list. */
function readField({ form, title, isRequired }: Field, texts: readonly string[]): unknown {
  const [text = ''] = texts
  switch (form.kind) {
    case 'text':
      return text === '' && !isRequired ? undefined : text
    case 'number':
      return text === '' ? undefined : Number(text)
    case 'yes_or_no':
      return text === '' ? undefined : yesOrNo[Number(text)]?.value === 1
    case 'choice':
      return text === '' ? undefined : form.choices[Number(text)]?.value
    case 'choices':
      return texts.length === 0 && !isRequired ? undefined : texts.map((at) => form.choices[Number(at)]?.value)
    case 'json':
      if (text.trim() === '') return undefined
      try {
        return JSON.parse(text) as unknown
      } catch {
        return new Unreadable(`"${title}" is not JSON.`)
      }
  }
}
