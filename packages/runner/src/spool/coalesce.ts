import type { Report } from '@hotline/protocol/commands/agent'

/** Characters that pieces of one text are joined up to. */
const joinedChars = 8 * 1024

/** Reports as they go out, and where each of those that came in went. */
export interface Coalesced {
  reports: Report[]
  /** For each report that came in, the index of the one that carries it. */
  places: number[]
}

/**
 * Joins neighbours that say one thing in pieces. Always the same result for the same reports, because a batch is built
 * again when it is sent again.
 */
export function coalesce(reports: readonly Report[]): Coalesced {
  const out: Report[] = []
  const places: number[] = []
  for (const report of reports) {
    const last = out.at(-1)
    const joined = last && join(last, report)
    if (joined) out[out.length - 1] = joined
    else out.push(report)
    places.push(out.length - 1)
  }
  return { reports: out, places }
}

function join(a: Report, b: Report): Report | undefined {
  if (a.type !== b.type) return undefined
  const [textA, textB] = [textOf(a), textOf(b)]
  const fits = textA.length + textB.length <= joinedChars
  if (a.type === 'message.delta' || a.type === 'thought.delta') {
    const key = a.type === 'message.delta' ? 'message' : 'thought'
    return fits && a.data[key] === b.data[key] ? { ...a, body: { text: textA + textB } } : undefined
  }
  if (a.type === 'output.appended') {
    const same = a.data['source'] === b.data['source'] && a.data['encoding'] === 'utf8' && b.data['encoding'] === 'utf8'
    const bytes = Number(a.data['bytes']) + Number(b.data['bytes'])
    return fits && same ? { ...a, data: { ...a.data, ...b.data, bytes }, body: { text: textA + textB } } : undefined
  }
  if (a.type === 'step.progressed' && a.data['step'] === b.data['step']) {
    return { ...a, data: { ...a.data, ...b.data }, body: { ...a.body, ...b.body } }
  }
  return undefined
}

function textOf(report: Report): string {
  const text = report.body?.['text']
  return typeof text === 'string' ? text : ''
}
