import { type ReactNode, useEffect, useMemo, useState } from 'react'
import { ask } from '../live/ask.ts'
import { Failed } from '../parts/failed.tsx'
import { type ApiDocument, type Operation, operationsOf, spelledOut } from './api-document.ts'
import { TryIt } from './try-it.tsx'
import './api.css'

type Loaded = { at: 'looking' } | { at: 'here'; document: ApiDocument } | { at: 'missing'; detail: string }

/** The HTTP API as its document says it, each operation to be tried. For everybody: the document is open. */
export function ApiDocs(): ReactNode {
  const [loaded, setLoaded] = useState<Loaded>({ at: 'looking' })
  const load = async (): Promise<void> => {
    const answer = await ask<ApiDocument>('GET', '/api/openapi.json')
    setLoaded(answer.ok ? { at: 'here', document: answer.value } : { at: 'missing', detail: answer.problem.detail })
  }
  useEffect(() => {
    document.title = 'The API · Hotline'
    void load()
  }, [])
  if (loaded.at === 'looking') return <main className="api" aria-busy="true" />
  if (loaded.at === 'here') return <Shown document={loaded.document} />
  return (
    <main className="api">
      <Failed what="The document of the API did not come" problem={loaded} retry={() => void load()} />
    </main>
  )
}

function Shown({ document }: { document: ApiDocument }): ReactNode {
  const [words, setWords] = useState('')
  // Kept here alone, for as long as the page is open.
  const [key, setKey] = useState('')
  const operations = useMemo(() => operationsOf(document), [document])
  const found = operations.filter((one) => hasWords(one, words))
  const tags = [...new Set(found.map(({ tag }) => tag))]
  return (
    <main className="api">
      <header className="stack">
        <h1>The API</h1>
        <p className="quiet">
          Each operation with what it takes and answers. Signed in here, they are sent as you; with a key, as its owner.
          The documents themselves: <a href="/api/openapi.json">OpenAPI</a>, <a href="/api/asyncapi.json">AsyncAPI</a>.{' '}
          <a href="/">To your sessions</a>
        </p>
        <div className="api-tools">
          <label className="field">
            <span>Find</span>
            <input
              className="input"
              type="search"
              value={words}
              onChange={(event) => setWords(event.target.value)}
              placeholder="sessions, keys, POST …"
            />
          </label>
          <label className="field">
            <span>Key (optional)</span>
            <input
              className="input mono"
              type="password"
              autoComplete="off"
              value={key}
              onChange={(event) => setKey(event.target.value.trim())}
              placeholder="hl_pat_…"
            />
          </label>
        </div>
      </header>
      {found.length === 0 && <p className="quiet">Nothing fits.</p>}
      {tags.map((tag) => (
        <section key={tag} aria-label={tag}>
          <h2>{tag}</h2>
          {found
            .filter((one) => one.tag === tag)
            .map((one) => (
              <OperationLine key={one.id} document={document} operation={one} apiKey={key} />
            ))}
        </section>
      ))}
    </main>
  )
}

function hasWords({ method, path, summary, tag }: Operation, words: string): boolean {
  const text = `${method} ${path} ${summary} ${tag}`.toLowerCase()
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

function OperationLine(props: { document: ApiDocument; operation: Operation; apiKey: string }): ReactNode {
  const { document, operation, apiKey } = props
  const [open, setOpen] = useState(false)
  const { method, path, summary, permission } = operation
  return (
    <details className="api-operation" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span className="mono api-method">{method}</span>
        <span className="mono api-path">{path}</span>
        <span className="api-summary">{plain(summary)}</span>
        <span className="mono small api-permission">{permission}</span>
      </summary>
      {open && (
        <div className="api-inside stack">
          <p>{plain(operation.description)}</p>
          <TryIt operation={operation} apiKey={apiKey} />
          {operation.body && <SchemaText title="Body" value={spelledOut(document, operation.body.schema)} />}
          <Responses document={document} operation={operation} />
        </div>
      )}
    </details>
  )
}

function Responses({ document, operation }: { document: ApiDocument; operation: Operation }): ReactNode {
  return (
    <div>
      <h3>Answers</h3>
      <dl className="api-answers">
        {Object.entries(operation.responses).map(([status, { description, content }]) => (
          <div key={status}>
            <dt className="mono">{status}</dt>
            <dd>
              {plain(description)}
              {Number(status) < 300 && content && (
                <SchemaText
                  title={Object.keys(content).join(', ')}
                  value={spelledOut(document, Object.values(content)[0]?.schema)}
                />
              )}
            </dd>
          </div>
        ))}
      </dl>
    </div>
  )
}

function SchemaText({ title, value }: { title: string; value: unknown }): ReactNode {
  const [open, setOpen] = useState(false)
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {open && (
        <pre className="mono api-text" tabIndex={0} aria-label={title}>
          {JSON.stringify(value, null, 2)}
        </pre>
      )}
    </details>
  )
}

/** The document marks what is code; here it is read as words. */
function plain(text: string): string {
  return text.replaceAll('`', '')
}
