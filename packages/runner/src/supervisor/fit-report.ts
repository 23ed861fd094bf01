import type { Report } from '@hotline/protocol/commands/agent'
import type { FileChange } from '@hotline/protocol/events/turn'

/** Characters of what a tool printed; its end says more than its beginning. */
const outputChars = 32 * 1024
const titleChars = 500
const errorChars = 8 * 1024
const noteChars = 4 * 1024
const questionChars = 8 * 1024
const locationsMax = 100

/** Characters of a tool's arguments as they are shown in a step; an approval has its own rule, and nothing is cut there. */
const inputChars = 64 * 1024

/** Members of a tool's arguments that are kept as they are: the server reads no more than 20,000 in all. */
const inputMembers = 5_000

/** Changes of one event. */
const changesMax = 2_000

/** Characters of all changes of one event together. */
const changesChars = 96 * 1024

/** JSON bytes of one report, below what an event may have. */
const reportBytes = 200 * 1024

/** What a report can do without, in the order in which it is given up. */
const dispensable = ['changes', 'input', 'output', 'locations', 'patch']

/** Levels of a value that are kept as they are; the log takes a few more in all. */
const depthMax = 40

/** Reports that come in the right size already. */
const hasItsSize = /^(?:message\..*|approval\.requested|screen\.saved)$/

/** Makes a report fit into one event. What is cut says so; approvals and messages come in the right size already. */
export function fit(report: Report): Report {
  if (report.body === undefined || hasItsSize.test(report.type)) return report
  const body: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(report.body)) body[name] = fitMember(name, flat(value, depthMax))
  for (const name of dispensable) {
    if (Buffer.byteLength(JSON.stringify(body)) <= reportBytes) break
    const { [name]: value } = body
    if (value === undefined) continue
    // Half a patch is none.
    if (name === 'patch') delete body[name]
    else body[name] = name === 'changes' || name === 'locations' ? [] : '(too large to be shown)'
  }
  return { ...report, body }
}

/** Below some level a value is shown as its JSON. */
function flat(value: unknown, levels: number): unknown {
  if (value === null || typeof value !== 'object') return value
  if (levels === 0) return JSON.stringify(value)
  if (Array.isArray(value)) return value.map((item) => flat(item, levels - 1))
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, flat(member, levels - 1)]))
}

function fitMember(name: string, value: unknown): unknown {
  if (name === 'output' && typeof value === 'string') return tail(value, outputChars)
  if (name === 'title' && typeof value === 'string') return head(value, titleChars)
  if (name === 'error' && typeof value === 'string') return head(value, errorChars)
  if ((name === 'note' || name === 'reason') && typeof value === 'string') return head(value, noteChars)
  if (name === 'text' && typeof value === 'string') return head(value, questionChars)
  if (name === 'locations' && Array.isArray(value)) return value.slice(0, locationsMax)
  if (name === 'changes' && Array.isArray(value)) return fitChanges(value as readonly FileChange[])
  if (name !== 'input') return value
  const text = JSON.stringify(value) as string | undefined
  // Commas in texts count as well: rather a few too many.
  if (text === undefined || (text.length <= inputChars && text.split(',').length <= inputMembers)) return value
  return `${head(text, inputChars / 2)} (${text.length} characters in all)`
}

function fitChanges(changes: readonly FileChange[]): readonly FileChange[] {
  let left = changesChars
  const fitted: FileChange[] = []
  for (const change of changes.slice(0, changesMax)) {
    const size = change.newText.length + (change.oldText?.length ?? 0)
    if (size <= left) {
      left -= size
      fitted.push(change)
    } else {
      const share = Math.floor(left / 2)
      left = 0
      fitted.push({
        ...change,
        newText: head(change.newText, share),
        ...(change.oldText === undefined || change.oldText === null ? {} : { oldText: head(change.oldText, share) }),
        partial: true,
      })
    }
  }
  return fitted
}

/** The beginning of a text; cut between characters, and marked. */
export function head(text: string, chars: number): string {
  return text.length <= chars ? text : `${text.slice(0, Math.max(0, chars - 1)).toWellFormed()}…`
}

function tail(text: string, chars: number): string {
  return text.length <= chars ? text : `…${text.slice(1 - chars).toWellFormed()}`
}
