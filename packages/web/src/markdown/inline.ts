import { type Address, isHonest, readAddress } from '../text/address.ts'
import { readEntity } from '../text/entities.ts'

/** What stands in a line of Markdown. */
export type Span =
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'break' }
  | { kind: 'strong' | 'em' | 'strike'; spans: readonly Span[] }
  /** `honest`: what is read is where it leads. `bare`: an address in the text, without a mark of a link. */
  | { kind: 'link'; address: Address; spans: readonly Span[]; honest: boolean; bare?: true }
  /** Never loaded: its words, and where it lies, as far as that may be followed. */
  | { kind: 'image'; alt: string; address: Address | undefined }

/** Where `[name]` leads, by its name in small letters. */
export type References = ReadonlyMap<string, string>

/** What may stand inside of something else, one in the other; deeper it is text. */
const depthMax = 32
/** A code span ends within so many characters, or is none. */
const codeChars = 4_000

/** Something that was opened and may be closed. */
interface Frame {
  /** What stands for it if it never is. */
  mark: string
  char: '*' | '_' | '~' | '[' | '!' | ''
  count: number
  both: boolean
  spans: Span[]
}

/**
 * Reads the inside of a paragraph as GitHub's Markdown has it, without HTML. Each step costs a bounded time, so that no
 * text takes longer than its length: what is nested too deep, or closed too late, stays the text that it is.
 */
export function readInline(source: string, references: References = new Map()): readonly Span[] {
  const stack: Frame[] = [frame('', '')]
  const text = (words: string): void => pushText(top(stack).spans, words)
  const next =
    /\\(?:\n|[!-/:-@[-`{-~])|`+|<(?:https?:\/\/|mailto:)[^\s<>]{1,2000}>|<br\s{0,3}\/?>|!\[|[[\]]|\*+|_+|~+|&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[a-zA-Z]{2,8});|https?:\/\/[^\s<>"'`()[\]{}|\\]{1,2000}/gu
  let from = 0
  for (let match = next.exec(source); match; match = next.exec(source)) {
    const [mark] = match
    if (match.index > from) text(source.slice(from, match.index))
    from = match.index + mark.length
    if (mark.startsWith('\\')) {
      if (mark === '\\\n') top(stack).spans.push({ kind: 'break' })
      else text(mark.slice(1))
    } else if (mark.startsWith('`')) {
      const end = closeOf(source, mark, from)
      if (end === undefined) text(mark)
      else {
        top(stack).spans.push({ kind: 'code', text: codeText(source.slice(from, end)) })
        from = end + mark.length
      }
    } else if (mark.startsWith('<')) {
      if (mark.startsWith('<br')) top(stack).spans.push({ kind: 'break' })
      else pushLink(top(stack).spans, mark.slice(1, -1), mark)
    } else if (mark === '[' || mark === '![') open(stack, mark, mark === '[' ? '[' : '!')
    else if (mark === ']') from = closeBracket(stack, source, from, references)
    else if (mark.startsWith('&')) text(readEntity(mark) ?? mark)
    else if (mark.startsWith('http')) {
      const address = mark.replace(/[.,;:!?*_~]+$/, '')
      pushLink(top(stack).spans, address, address)
      from = match.index + address.length
    } else emphasise(stack, mark, source[match.index - 1], source[from])
    next.lastIndex = from
  }
  text(source.slice(from))
  while (stack.length > 1) collapse(stack)
  return top(stack).spans
}

function frame(mark: string, char: Frame['char'], both = false): Frame {
  return { mark, char, count: mark.length, both, spans: [] }
}

function top(stack: Frame[]): Frame {
  const last = stack.at(-1)
  if (!last) throw new Error('the lowest frame is never closed')
  return last
}

function open(stack: Frame[], mark: string, char: Frame['char'], both = false): void {
  if (stack.length < depthMax) stack.push(frame(mark, char, both))
  else pushText(top(stack).spans, mark)
}

/** What was opened last is closed by nobody: its mark is text. */
function collapse(stack: Frame[]): void {
  const last = stack.pop()
  if (!last) return
  const { spans } = top(stack)
  pushText(spans, last.mark)
  for (const span of last.spans) {
    if (span.kind === 'text') pushText(spans, span.text)
    else spans.push(span)
  }
}

function pushText(spans: Span[], text: string): void {
  if (text === '') return
  const last = spans.at(-1)
  if (last?.kind === 'text') spans[spans.length - 1] = { kind: 'text', text: last.text + text }
  else spans.push({ kind: 'text', text })
}

function pushLink(spans: Span[], target: string, written: string): void {
  const address = readAddress(target)
  if (!address) return pushText(spans, written)
  const label = target.replace(/^mailto:/, '')
  spans.push({
    kind: 'link',
    address,
    spans: [{ kind: 'text', text: label }],
    honest: isHonest(label, address),
    bare: true,
  })
}

/** Where a run of just as many backticks begins. */
function closeOf(source: string, mark: string, from: number): number | undefined {
  const end = Math.min(source.length, from + codeChars)
  for (let at = source.indexOf(mark, from); at >= 0 && at < end; at = source.indexOf(mark, at)) {
    let after = at
    while (source[after] === '`') after += 1
    if (after - at === mark.length) return at
    at = after
  }
  return undefined
}

function codeText(inside: string): string {
  const line = inside.replaceAll('\n', ' ')
  const isPadded = line.length > 2 && line.startsWith(' ') && line.endsWith(' ') && line.trim() !== ''
  return isPadded ? line.slice(1, -1) : line
}

const destination =
  /\(\s{0,20}(?:<([^<>\n]{0,2000})>|((?:[^\s()\\]|\\.|\((?:[^\s()\\]|\\.){0,500}\)){0,2000}))(?:\s{1,20}(?:"[^"]{0,500}"|'[^']{0,500}'))?\s{0,20}\)/uy
const entities = /&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[a-zA-Z]{2,8});/gu
const reference = /\[([^[\]]{0,200})\]/uy

/** Answers where what follows the bracket goes on. */
function closeBracket(stack: Frame[], source: string, from: number, references: References): number {
  const at = stack.findLastIndex(({ char }) => char === '[' || char === '!')
  if (at < 0) {
    pushText(top(stack).spans, ']')
    return from
  }
  while (stack.length > at + 1) collapse(stack)
  const { char, spans } = top(stack)
  const label = plainText(spans)
  destination.lastIndex = from
  const inline = destination.exec(source)
  reference.lastIndex = from
  const named = inline ? null : reference.exec(source)
  const target = inline
    ? (inline[1] ?? inline[2] ?? '').replaceAll(/\\([!-/:-@[-`{-~])/g, '$1')
    : references.get((named?.[1] || label).toLowerCase())
  const end = from + (inline?.[0].length ?? named?.[0].length ?? 0)
  if (target === undefined) {
    collapse(stack)
    pushText(top(stack).spans, ']')
    return from
  }
  stack.pop()
  const address = readAddress(target.replaceAll(entities, (entity) => readEntity(entity) ?? entity))
  const outer = top(stack).spans
  if (char === '!') outer.push({ kind: 'image', alt: label, address })
  else if (address && !spans.some((span) => span.kind === 'link' && span.bare !== true))
    outer.push({ kind: 'link', address, spans: wordsOf(spans), honest: isHonest(label, address) })
  // Where it leads nowhere that may be gone to, that is said and not hidden.
  else pushText(outer, `[${label}](${target})`)
  return end
}

/** An address or an image as the words of a link is words: it leads where the link leads. */
function wordsOf(spans: readonly Span[]): readonly Span[] {
  return spans.flatMap((span): readonly Span[] => {
    if (span.kind === 'image') return [{ kind: 'text', text: `image: ${span.alt}` }]
    if (span.kind === 'link') return span.spans
    return 'spans' in span ? [{ ...span, spans: wordsOf(span.spans) }] : [span]
  })
}

/** A run of `*`, `_` or `~`: it closes what it can, and what is left of it opens something, or is text. */
function emphasise(stack: Frame[], mark: string, before: string | undefined, after: string | undefined): void {
  const char = mark[0] as '*' | '_' | '~'
  const { opens, closes } = flanks(char, before, after)
  let count = mark.length
  // Three waves are no mark.
  const isMark = char !== '~' || count <= 2
  const find = (): number | undefined =>
    closes && isMark && count > 0 ? openerOf(stack, char, count, opens) : undefined
  for (let at = find(); at !== undefined; at = find()) {
    while (stack.length > at + 1) collapse(stack)
    const opener = top(stack)
    const used = char === '~' ? count : Math.min(2, count, opener.count)
    const kind = char === '~' ? 'strike' : used === 2 ? 'strong' : 'em'
    const span: Span = { kind, spans: opener.spans }
    count -= used
    opener.count -= used
    opener.mark = char.repeat(opener.count)
    if (opener.count > 0) opener.spans = [span]
    else {
      stack.pop()
      top(stack).spans.push(span)
    }
  }
  if (count === 0) return
  if (opens && isMark) open(stack, char.repeat(count), char, closes)
  else pushText(top(stack).spans, char.repeat(count))
}

/** Whether a run may open and close, by what stands on both sides of it. */
function flanks(
  char: string,
  before: string | undefined,
  after: string | undefined,
): { opens: boolean; closes: boolean } {
  const [spaceBefore, spaceAfter] = [before, after].map((side) => side === undefined || /\s/u.test(side))
  const [markBefore, markAfter] = [before, after].map((side) => side !== undefined && /[\p{P}\p{S}]/u.test(side))
  const left = !spaceAfter && (!markAfter || spaceBefore === true || markBefore === true)
  const right = !spaceBefore && (!markBefore || spaceAfter === true || markAfter === true)
  if (char !== '_') return { opens: left, closes: right }
  return { opens: left && (!right || markBefore === true), closes: right && (!left || markAfter === true) }
}

/** The nearest that this may close; none beyond a bracket. */
function openerOf(stack: readonly Frame[], char: Frame['char'], count: number, both: boolean): number | undefined {
  for (let at = stack.length - 1; at > 0; at -= 1) {
    const found = stack[at]
    if (!found || found.char === '[' || found.char === '!') return undefined
    if (found.char !== char) continue
    if (char === '~' && found.count !== count) continue
    const three = (found.both || both) && (found.count + count) % 3 === 0
    if (three && (found.count % 3 !== 0 || count % 3 !== 0)) continue
    return at
  }
  return undefined
}

/** The words without their marks. */
export function plainText(spans: readonly Span[]): string {
  return spans
    .map((span) => {
      if (span.kind === 'text' || span.kind === 'code') return span.text
      if (span.kind === 'break') return '\n'
      if (span.kind === 'image') return span.alt
      return plainText(span.spans)
    })
    .join('')
}
