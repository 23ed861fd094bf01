/** What a person says about one line of a change; `old`: a line that is not there any more. */
export interface LineComment {
  path: string
  side: 'old' | 'new'
  /** From 1, in the file as it is on that side. */
  line: number
  /** The line as it was shown. */
  quote: string
  text: string
}

/** A line that is quoted may have so many characters; it is there to be found again, not to be read. */
const quoteMax = 120

/** All comments as one message to the agent, in the order of the files and of their lines. */
export function commentsMessage(comments: readonly LineComment[]): string {
  const sorted = comments.toSorted((a, b) => (a.path === b.path ? a.line - b.line : a.path < b.path ? -1 : 1))
  const parts = sorted.map(({ path, side, line, quote, text }) => {
    const where = `${oneWord(path)}:${line}${side === 'old' ? ' (before your change)' : ''}`
    const words = quote.trim() === '' ? '' : `> ${cut(quote.trim())}\n`
    return `${where}\n${words}${text.trim()}`
  })
  return [
    comments.length === 1 ? 'A comment on your changes:' : `${comments.length} comments on your changes:`,
    ...parts,
  ].join('\n\n')
}

/** A name must not look like more than one line. */
function oneWord(path: string): string {
  // oxlint-disable-next-line no-control-regex
  return /[\u0000-\u001f\u007f\u2028\u2029]/.test(path) ? JSON.stringify(path) : path
}

function cut(line: string): string {
  const chars = Array.from(line.slice(0, 2 * quoteMax + 2))
  return chars.length <= quoteMax ? line : `${chars.slice(0, quoteMax - 1).join('')}…`
}
