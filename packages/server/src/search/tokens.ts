/** A word of a text as the index knows it, and where it stands: UTF-16 code units of the text. */
export interface Token {
  word: string
  start: number
  end: number
  /** Where it stands for the last sign of a run without spaces. */
  isTail?: true
}

/** Longer ones are cut: nobody types them, and an index has bounds. */
const wordMax = 64

const spaceless = ['Han', 'Hiragana', 'Katakana', 'Hangul', 'Thai', 'Lao', 'Khmer', 'Myanmar']
  .map((script) => String.raw`\p{scx=${script}}`)
  .join('')
/** A run of a script that is written without spaces, another word, or one sign that is a picture. Each is linear. */
const runs = new RegExp(
  String.raw`(?<spaceless>(?:(?=[\p{L}\p{N}\p{M}])[${spaceless}])+)|(?<word>(?:(?![${spaceless}])[\p{L}\p{N}\p{M}]|(?=\p{M})[${spaceless}])+)|(?<picture>\p{Regional_Indicator}{2}|\p{Extended_Pictographic})`,
  'gu',
)
// oxlint-disable-next-line no-control-regex
const ascii = /^[\u0000-\u007f]*$/

/**
 * The words of a text, in order. Case, accents and widths are the same to it. A run of a script without spaces, such as
 * Chinese, gives each pair of neighbours and its last sign, so that any part of it is found as a phrase; a picture is a word.
 */
export function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = []
  for (const { 0: run, index, groups } of text.matchAll(runs)) {
    if (groups?.['spaceless'] === undefined) add(tokens, plain(run), index, index + run.length)
    else addPairs(tokens, run, index)
  }
  return tokens
}

function addPairs(tokens: Token[], run: string, start: number): void {
  const signs = Array.from(run)
  let at = start
  for (const [place, sign] of signs.entries()) {
    const next = signs[place + 1]
    const pair = `${sign}${next ?? ''}`.normalize('NFKC').toLowerCase()
    const end = at + sign.length
    if (next === undefined) tokens.push({ word: pair, start: at, end, isTail: true })
    else tokens.push({ word: pair, start: at, end: end + next.length })
    at = end
  }
}

function add(tokens: Token[], word: string, start: number, end: number): void {
  if (word !== '') tokens.push({ word: word.slice(0, wordMax).toWellFormed(), start, end })
}

function plain(word: string): string {
  if (ascii.test(word)) return word.toLowerCase()
  return word
    .normalize('NFKD')
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/[^\p{L}\p{N}\p{Extended_Pictographic}\p{Regional_Indicator}]/gu, '')
}
