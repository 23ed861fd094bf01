import { type FormEvent, type ReactNode, useState } from 'react'
import type { Operation, Parameter } from './api-document.ts'

/** What came back, as far as it is shown. */
interface Shown {
  status: string
  text: string
}

const textMax = 20_000
const patienceMs = 40_000

/** A form for one request: what it takes by name, its body as JSON, and what came of it. */
export function TryIt({ operation, apiKey }: { operation: Operation; apiKey: string }): ReactNode {
  const [shown, setShown] = useState<Shown>()
  const [busy, setBusy] = useState(false)
  const { method, path, parameters, body } = operation
  async function send(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    const given = new FormData(event.currentTarget)
    setBusy(true)
    setShown(await answerTo(requestOf(operation, given, apiKey)))
    setBusy(false)
  }
  return (
    <form className="stack" aria-label={`Try ${method} ${path}`} onSubmit={(event) => void send(event)}>
      {parameters.map((one) => (
        <ParameterField key={`${one.in} ${one.name}`} parameter={one} />
      ))}
      {body && (
        <label className="field">
          <span>Body (JSON)</span>
          <textarea
            className="input mono"
            name="body"
            rows={6}
            spellCheck={false}
            defaultValue={JSON.stringify(body.example ?? {}, null, 2)}
          />
        </label>
      )}
      <div className="actions">
        <button type="submit" className="button strong" disabled={busy}>
          Send
        </button>
      </div>
      {shown && (
        <div role="status">
          <p className="mono">{shown.status}</p>
          <pre className="mono api-text" tabIndex={0} aria-label="Answer">
            {shown.text}
          </pre>
        </div>
      )}
    </form>
  )
}

function ParameterField({ parameter }: { parameter: Parameter }): ReactNode {
  const { name, in: place, required, schema } = parameter
  const limit = [schema['type'], schema['default'] === undefined ? '' : `default ${JSON.stringify(schema['default'])}`]
  return (
    <label className="field">
      <span>
        <span className="mono">{name}</span>{' '}
        <span className="quiet small">
          {place}
          {required ? ', needed' : ''}
        </span>
      </span>
      <input
        className="input mono"
        name={`${place} ${name}`}
        required={required ?? false}
        placeholder={limit.filter((part) => typeof part === 'string' && part !== '').join(', ')}
        autoComplete="off"
        spellCheck={false}
      />
    </label>
  )
}

/** The request that a filled form means. */
function requestOf({ method, path, parameters, body }: Operation, given: FormData, apiKey: string): Request {
  const headers = new Headers(apiKey === '' ? {} : { authorization: `Bearer ${apiKey}` })
  const query = new URLSearchParams()
  let target = path
  for (const { name, in: place } of parameters) {
    const value = given.get(`${place} ${name}`)
    if (typeof value !== 'string' || value === '') continue
    if (place === 'path') target = target.replace(`{${name}}`, () => encodeURIComponent(value))
    else if (place === 'query') query.set(name, value)
    else headers.set(name, value)
  }
  const url = new URL(target, location.origin)
  url.search = query.toString()
  if (!body) return new Request(url, { method, headers, credentials: credentials(apiKey) })
  headers.set('content-type', 'application/json')
  return new Request(url, { method, headers, credentials: credentials(apiKey), body: textOf(given.get('body')) })
}

/** A key speaks for itself: the cookie of whoever is signed in here does not go along. */
function credentials(apiKey: string): RequestCredentials {
  return apiKey === '' ? 'same-origin' : 'omit'
}

function textOf(value: FormDataEntryValue | null): string {
  return typeof value === 'string' ? value : ''
}

async function answerTo(request: Request): Promise<Shown> {
  try {
    const response = await fetch(request, { signal: AbortSignal.timeout(patienceMs), cache: 'no-store' })
    const type = response.headers.get('content-type') ?? ''
    const status = `${response.status} ${type}`
    if (type.startsWith('text/event-stream')) {
      await response.body?.cancel()
      return { status, text: 'A stream of events; follow it with a program.' }
    }
    const text = readable(await response.text(), type)
    return { status, text: text.length > textMax ? `${text.slice(0, textMax)}…` : text }
  } catch (error) {
    return { status: 'No answer', text: error instanceof Error ? error.message : 'It could not be sent.' }
  }
}

function readable(text: string, type: string): string {
  if (!/[/+]json\b/.test(type) || text === '') return text
  return JSON.stringify(JSON.parse(text), null, 2)
}
