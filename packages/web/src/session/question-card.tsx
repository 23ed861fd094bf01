import type { QuestionItem } from '@hotline/core/transcript/item'
import type { CommandInput } from '@hotline/protocol/command'
import { type FormEvent, type ReactNode, useState } from 'react'

interface Field {
  name: string
  title: string
  type: string
  choices: readonly string[] | undefined
  required: boolean
}

/** The flat fields of a JSON Schema; anything else is answered as text. */
function fieldsOf(schema: Record<string, unknown> | undefined): readonly Field[] {
  const properties = (schema?.['properties'] ?? {}) as Record<
    string,
    { title?: string; type?: string; enum?: string[] }
  >
  const required = Array.isArray(schema?.['required']) ? (schema['required'] as string[]) : []
  return Object.entries(properties).map(([name, { title, type, enum: choices }]) => ({
    name,
    title: title ?? name,
    type: type ?? 'string',
    choices,
    required: required.includes(name),
  }))
}

/** A question of an agent as a form. */
export function QuestionCard({
  item,
  answer,
}: {
  item: QuestionItem
  answer: (data: CommandInput<'question.answer'>) => void
}): ReactNode {
  const [busy, setBusy] = useState(false)
  if (item.action !== undefined) {
    const words = {
      accept: 'Answered',
      decline: 'Declined',
      cancel: 'Cancelled',
      withdrawn: 'No longer asked',
    } as const
    return (
      <div className="folded">
        <span>{words[item.action]}</span>
        <span className="title">{item.text}</span>
        {item.content !== undefined && <code>{JSON.stringify(item.content)}</code>}
      </div>
    )
  }
  const fields = fieldsOf(item.schema)
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const data = new FormData(event.currentTarget)
    const content = Object.fromEntries(
      fields.map(({ name, type }) => {
        const value = data.get(name)
        if (type === 'boolean') return [name, value === 'on']
        if (type === 'number' || type === 'integer') return [name, Number(value)]
        return [name, typeof value === 'string' ? value : '']
      }),
    )
    setBusy(true)
    answer({ question: item.question, action: 'accept', content })
  }
  return (
    <article className="card" aria-label="Needs you: a question">
      <header>
        <span>{item.text}</span>
      </header>
      <form className="stack" style={{ padding: '12px 14px' }} onSubmit={submit}>
        {fields.map((field) => (
          <label key={field.name} className="field">
            <span>{field.title}</span>
            {field.choices ? (
              <select className="input" name={field.name} required={field.required}>
                {field.choices.map((choice) => (
                  <option key={choice}>{choice}</option>
                ))}
              </select>
            ) : (
              <input
                className={field.type === 'boolean' ? '' : 'input'}
                name={field.name}
                type={field.type === 'boolean' ? 'checkbox' : field.type === 'string' ? 'text' : 'number'}
                required={field.required && field.type !== 'boolean'}
              />
            )}
          </label>
        ))}
        <div className="answer" style={{ padding: 0 }}>
          <button type="submit" className="button strong" disabled={busy}>
            Answer
          </button>
          <button
            type="button"
            className="button"
            disabled={busy}
            onClick={() => {
              setBusy(true)
              answer({ question: item.question, action: 'decline' })
            }}
          >
            Decline
          </button>
        </div>
      </form>
    </article>
  )
}
