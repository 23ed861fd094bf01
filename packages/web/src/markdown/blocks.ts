import { Lexer, type Token, type Tokens } from 'marked'
import { closeOpen } from './close-open.ts'
import type { References } from './inline.ts'

/** A part of a text that stands on lines of its own. Words inside are still Markdown, but for `plain` and `code`. */
export type Block =
  | { kind: 'paragraph'; text: string }
  | { kind: 'plain'; text: string }
  | { kind: 'heading'; depth: number; text: string }
  /** `open`: it has no end yet. */
  | { kind: 'code'; language: string; text: string; open: boolean }
  | { kind: 'quote'; blocks: readonly Block[] }
  | { kind: 'list'; ordered: boolean; start: number; items: readonly ListItem[] }
  | { kind: 'table'; align: readonly Align[]; head: readonly string[]; rows: readonly (readonly string[])[] }
  | { kind: 'rule' }

/** An item of a list; `done` for one that is a task. */
export interface ListItem {
  done?: boolean
  blocks: readonly Block[]
}

/** To which side the cells of a column stand. */
export type Align = 'left' | 'center' | 'right' | null

/** A text in blocks, and as much as is needed to go on from there when it grows. */
export interface Reading {
  text: string
  blocks: readonly Block[]
  references: References
  /** What stands before cannot change any more, whatever follows: so many blocks, up to this place. */
  settled: { blocks: number; at: number }
}

/** Marks of quotes and lists at the beginning of one line, and how far in a line may begin: deeper it is plain text. */
const marksMax = 40
const indentMax = 400

/** Nothing read yet. */
const empty: Reading = { text: '', blocks: [], references: new Map(), settled: { blocks: 0, at: 0 } }

/**
 * Cuts a text into blocks. A text that grew since `before` is read from its last block on, and all others stay the same
 * objects. While it is `streaming`, what is half written at its end is completed, so that nothing changes its look when the
 * rest comes.
 */
export function readBlocks(text: string, streaming: 'streaming' | 'whole', before: Reading = empty): Reading {
  const grew = before.text !== '' && text.startsWith(before.text)
  const { settled, blocks, references } = grew ? before : empty
  const rest = text.slice(settled.at)
  const tokens = lex(streaming === 'streaming' ? closeOpen(rest) : rest)
  if (!tokens) {
    return { text, blocks: [...blocks.slice(0, settled.blocks), { kind: 'plain', text: rest }], references, settled }
  }
  const known = referencesOf(tokens, references)
  const last = tokens.findLastIndex(({ type }) => type !== 'space')
  const kept = blocks.slice(0, settled.blocks)
  const fresh = tokens.slice(0, Math.max(0, last))
  kept.push(...fresh.flatMap(blocksOf))
  const at = settled.at + fresh.reduce((sum, { raw }) => sum + raw.length, 0)
  return {
    text,
    blocks: [...kept, ...tokens.slice(Math.max(0, last)).flatMap(blocksOf)],
    references: known,
    settled: { blocks: kept.length, at },
  }
}

/** Undefined where it is nested so deep that nobody could read it, and that reading it takes too long. */
function lex(text: string): readonly Token[] | undefined {
  for (const line of text.split('\n')) {
    const [lead = ''] = /^[\s>*+\-\d.)]*/.exec(line) ?? []
    if (lead.length <= marksMax) continue
    const marks = lead.replaceAll(/[^>*+\-.)]/g, '').length
    if (lead.length > indentMax || (marks > marksMax && /[^\s*-]/.test(line))) return undefined
  }
  return new Lexer({ gfm: true }).blockTokens(text, [])
}

function referencesOf(tokens: readonly Token[], known: References): References {
  const defs = tokens.filter((token): token is Tokens.Def => token.type === 'def')
  const fresh = defs.filter(({ tag, href }) => known.get(tag) !== href)
  return fresh.length === 0 ? known : new Map([...known, ...fresh.map(({ tag, href }) => [tag, href] as const)])
}

function blocksOf(token: Token): readonly Block[] {
  switch (token.type) {
    case 'space':
    case 'def':
      return []
    case 'hr':
      return [{ kind: 'rule' }]
    case 'heading': {
      const { depth, text } = token as Tokens.Heading
      return [{ kind: 'heading', depth, text }]
    }
    case 'code': {
      const { lang, text, raw, codeBlockStyle } = token as Tokens.Code
      const open = codeBlockStyle !== 'indented' && !/\n {0,3}(?:`{3,}|~{3,})\s*$/.test(raw)
      return [{ kind: 'code', language: lang?.split(/\s/, 1)[0] ?? '', text, open }]
    }
    case 'blockquote':
      return [{ kind: 'quote', blocks: (token as Tokens.Blockquote).tokens.flatMap(blocksOf) }]
    case 'list': {
      const { ordered, start, items } = token as Tokens.List
      return [{ kind: 'list', ordered, start: start === '' ? 1 : start, items: items.map(itemOf) }]
    }
    case 'table': {
      const { align, header, rows } = token as Tokens.Table
      const wordsOf = (cells: readonly Tokens.TableCell[]): readonly string[] => cells.map(({ text }) => text)
      return [{ kind: 'table', align, head: wordsOf(header), rows: rows.map(wordsOf) }]
    }
    case 'html':
      return [{ kind: 'plain', text: token.raw.replace(/\n+$/, '') }]
    default:
      return [{ kind: 'paragraph', text: (token as Tokens.Paragraph).text }]
  }
}

function itemOf({ task, checked, tokens }: Tokens.ListItem): ListItem {
  const blocks = tokens.filter(({ type }) => type !== 'checkbox').flatMap(blocksOf)
  return task ? { done: checked === true, blocks } : { blocks }
}
