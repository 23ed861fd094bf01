/**
 * The end of a text that is still being written, completed as it will most likely go on, so that half a mark is not shown
 * and taken back: an emphasis, a code or a link that is open is closed, and what may become the line below a heading, a list
 * or the head of a table is held back or drawn as that. Inside of a block of code nothing is touched.
 */
export function closeOpen(text: string): string {
  if (isInCode(text)) return text.replace(/\n {0,3}(?:`{1,2}|~{1,2})$/, '\n')
  const begin = Math.max(text.lastIndexOf('\n\n'), 0)
  const [before, last] = [text.slice(0, begin), text.slice(begin)]
  const table = closeTable(last)
  return before + (table ?? closeInline(closeLine(last)))
}

function isInCode(text: string): boolean {
  let mark: string | undefined
  for (const [, run = ''] of text.matchAll(/^ {0,12}(`{3,}|~{3,})/gm)) {
    if (mark === undefined) mark = run
    else if (run.startsWith(mark)) mark = undefined
  }
  return mark !== undefined
}

/** A last line that is nothing but the beginning of a mark: `-`, `=`, `1.`, `#`, `>`, half a fence. */
function closeLine(text: string): string {
  return text.replace(/\n\s{0,12}(?:-{1,2}|={1,3}|[*+]|\d{1,4}[.)]?|#{1,6}|>|`{1,2}|~{1,2})[ \t]?$/, '')
}

/** The head of a table is drawn as one as soon as its first line begins. */
function closeTable(text: string): string | undefined {
  const lines = text.replace(/^\n+/, '').split('\n')
  const [head = '', below = ''] = lines
  if (lines.length > 2 || !/^ {0,3}\|[^\n]*$/.test(head) || !/^[ \t|:-]*$/.test(below)) return undefined
  const cells = head
    .trim()
    .replace(/^\|/, '')
    .replace(/(?<!\\)\|$/, '')
    .split(/(?<!\\)\|/)
  const lead = text.slice(0, text.length - lines.join('\n').length)
  return cells.every((cell) => cell.trim() === '')
    ? lead
    : `${lead}|${cells.join('|')}|\n${'|---'.repeat(cells.length)}|`
}

/** What is open in the last paragraph; marks inside of code do not count. */
function closeInline(text: string): string {
  const ticks = text.match(/`+/g) ?? []
  const lastTick = text.lastIndexOf('`')
  if (ticks.length % 2 === 1) {
    const run = ticks.at(-1) ?? '`'
    // Nothing inside yet: nothing is shown yet.
    return text.length === lastTick + 1 ? text.slice(0, lastTick + 1 - run.length) : text + run
  }
  const begin = text.length - Math.min(text.length, 2_500)
  const link = /!?\[([^[\]\n]{0,300})(?:\](?:\([^\s()]{0,2000})?)?$/.exec(text.slice(begin))
  const open = link && /\]\(/.test(link[0]) ? text.slice(0, begin + link.index) + (link[1] ?? '') : text
  const bare = open.replace(/(?:\*{1,3}|_{1,3}|~{1,2})$/, (mark, at: number) =>
    /\S/.test(open[at - 1] ?? ' ') ? mark : '',
  )
  return bare + marksToClose(bare)
}

function marksToClose(text: string): string {
  const words = text.replaceAll(/`[^`]*`|\\./g, '')
  const open: string[] = []
  for (const match of words.matchAll(/\*\*|\*|~~/g)) {
    const [mark] = match
    const [before, after] = [words[match.index - 1] ?? ' ', words[match.index + mark.length] ?? ' ']
    if (open.at(-1) === mark && /\S/.test(before)) open.pop()
    else if (/\S/.test(after) && !open.includes(mark)) open.push(mark)
  }
  return open.toReversed().join('')
}
