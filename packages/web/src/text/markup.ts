/** What stands in a line of an agent's or a person's text. */
export type Span =
  | { kind: 'text'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'strong'; text: string }
  /** `host` is shown where the label does not say it by itself. */
  | { kind: 'link'; href: string; label: string; host?: string }

/** A part of a message that stands on lines of its own. */
export type Block =
  | { kind: 'paragraph'; spans: readonly Span[] }
  | { kind: 'heading'; spans: readonly Span[] }
  | { kind: 'list'; items: readonly { marker: string; depth: number; spans: readonly Span[] }[] }
  | { kind: 'code'; language: string; text: string; open: boolean }

const fence = /^ {0,3}(`{3,}|~{3,})\s*([^\s`]*)[^`]*$/
const listItem = /^( {0,12})([-*+]|\d{1,4}[.)])\s+(\S.*)$/
const heading = /^#{1,6}\s+(\S.*)$/

/**
 * Cuts a text into paragraphs, lists, headings and code. It knows no HTML and no images: everything else stays the text
 * that it is, so nothing in it can become an element or a request. Linear in the length of the text.
 */
export function readMarkup(text: string): Block[] {
  const blocks: Block[] = []
  let paragraph: string[] = []
  let code: { mark: string; language: string; lines: string[] } | undefined
  const flush = (): void => {
    if (paragraph.length > 0) blocks.push({ kind: 'paragraph', spans: readSpans(paragraph.join('\n')) })
    paragraph = []
  }
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (code) {
      const end = line.trim()
      if (end.length >= code.mark.length && end === (code.mark[0] ?? '`').repeat(end.length)) {
        blocks.push({ kind: 'code', language: code.language, text: code.lines.join('\n'), open: false })
        code = undefined
      } else code.lines.push(line)
      continue
    }
    const opens = fence.exec(line)
    const item = listItem.exec(line)
    const head = heading.exec(line)
    if (opens) {
      flush()
      code = { mark: opens[1] ?? '```', language: opens[2] ?? '', lines: [] }
    } else if (line.trim() === '') flush()
    else if (head?.[1] !== undefined) {
      flush()
      blocks.push({ kind: 'heading', spans: readSpans(head[1]) })
    } else if (item) {
      flush()
      const [, indent = '', marker = '-', rest = ''] = item
      const entry = {
        marker: /\d/.test(marker) ? marker.replace(')', '.') : '•',
        depth: Math.min(3, Math.floor(indent.length / 2)),
        spans: readSpans(rest),
      }
      const last = blocks.at(-1)
      if (last?.kind === 'list') blocks[blocks.length - 1] = { kind: 'list', items: [...last.items, entry] }
      else blocks.push({ kind: 'list', items: [entry] })
    } else paragraph.push(line)
  }
  flush()
  if (code) blocks.push({ kind: 'code', language: code.language, text: code.lines.join('\n'), open: true })
  return blocks
}

/** Inline code, emphasis in bold and links; the rest is text. */
const inline =
  /(?<ticks>`+)(?<code>[^`\n](?:[^`\n]{0,998}[^`\n])?)\k<ticks>(?!`)|\*\*(?<strong>[^*\s](?:[^*\n]{0,498}[^*\s])?)\*\*|\[(?<label>[^[\]\n]{1,300})\]\((?<target>[^\s()<>]{1,2000})\)|(?<bare>https?:\/\/[^\s<>"'`()[\]{}]{1,2000})/gu

function readSpans(text: string): Span[] {
  const spans: Span[] = []
  let from = 0
  const plain = (to: number): void => {
    if (to > from) spans.push({ kind: 'text', text: text.slice(from, to) })
  }
  for (const match of text.matchAll(inline)) {
    const { code, strong, label, target, bare } = match.groups ?? {}
    const span =
      code !== undefined ? codeSpan(code) : strong !== undefined ? strongSpan(strong) : linkSpan(label, target ?? bare)
    if (!span) continue
    plain(match.index)
    spans.push(span)
    // A bare address does not take the full stop of its sentence along.
    from = match.index + (bare !== undefined && span.kind === 'link' ? span.label.length : match[0].length)
  }
  plain(text.length)
  return spans
}

function codeSpan(text: string): Span {
  return { kind: 'code', text }
}

function strongSpan(text: string): Span {
  return { kind: 'strong', text }
}

/** Only web addresses become links; the host that is really behind one is shown unless the label is that address. */
function linkSpan(label: string | undefined, target: string | undefined): Span | undefined {
  if (target === undefined) return undefined
  const address = label === undefined ? target.replace(/[.,;:!?*_]+$/, '') : target
  const url = URL.parse(address)
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined
  const shown = label ?? address
  const honest = shown === address && url.username === '' && url.password === '' && address.includes(`//${url.host}`)
  return { kind: 'link', href: url.href, label: shown, ...(honest ? {} : { host: url.host }) }
}
