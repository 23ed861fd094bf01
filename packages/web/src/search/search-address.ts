import type { SearchKind } from '@hotline/protocol/search'

/** What a place is called where one chooses among them. */
export const kindWords: Readonly<Record<SearchKind, string>> = {
  message: 'Messages',
  thought: 'Thoughts',
  step: 'Steps',
  output: 'Output',
  approval: 'Requests',
  question: 'Questions',
  note: 'Notes and reasons',
  session: 'Titles',
  task: 'Cards',
}

/** What one of them is called beside it. */
export const kindWord: Readonly<Record<SearchKind, string>> = {
  message: 'message',
  thought: 'thought',
  step: 'step',
  output: 'output',
  approval: 'request',
  question: 'question',
  note: 'note',
  session: 'title',
  task: 'card',
}

/** What is looked for, as the address of the page has it. */
export interface SearchAddress {
  q?: string
  project?: string
  kind?: SearchKind
}

const textMax = 200

/** Reads it; what is not understood is left out. */
export function readSearchAddress({ q, project, kind }: Record<string, unknown>): SearchAddress {
  // The router reads digits as a number.
  const text = typeof q === 'number' ? String(q) : q
  return {
    ...(typeof text === 'string' && text.trim() !== '' ? { q: text.slice(0, textMax) } : {}),
    ...(typeof project === 'string' && project !== '' ? { project } : {}),
    ...(isKind(kind) ? { kind } : {}),
  }
}

/** As a request has it; undefined where nothing is looked for. */
export function requestOf({ q, project, kind }: SearchAddress, cursor: string | null): string | undefined {
  if (q === undefined) return undefined
  const query = new URLSearchParams({ q, limit: '30' })
  if (project !== undefined) query.set('project', project)
  if (kind !== undefined) query.set('kind', kind)
  if (cursor !== null) query.set('cursor', cursor)
  return `/api/search?${query}`
}

function isKind(kind: unknown): kind is SearchKind {
  return typeof kind === 'string' && Object.hasOwn(kindWords, kind)
}
