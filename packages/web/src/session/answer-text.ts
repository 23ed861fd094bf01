import type { Field } from '@hotline/core/question/form'

/** What was answered, by the words of the form: `Way: Mend the redirect · Write a test: Yes`. */
export function answerText(fields: readonly Field[], content: unknown): string {
  if (typeof content !== 'object' || content === null) return JSON.stringify(content)
  const parts = Object.entries(content).map(([name, value]) => {
    const field = fields.find((one) => one.name === name)
    return `${field?.title ?? name}: ${valueText(field, value)}`
  })
  return parts.join(' · ')
}

function valueText(field: Field | undefined, value: unknown): string {
  if (typeof value === 'boolean') return value ? 'Yes' : 'No'
  if (Array.isArray(value)) return value.map((one: unknown) => valueText(field, one)).join(', ')
  const form = field?.form
  const choices = form?.kind === 'choice' || form?.kind === 'choices' ? form.choices : []
  const chosen = choices.find((choice) => choice.value === value)
  if (chosen) return chosen.title
  return typeof value === 'string' ? value : JSON.stringify(value)
}
