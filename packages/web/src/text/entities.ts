/** Those that people and models write; the rest stays the text that it is. */
const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: '\u00a0',
  copy: '©',
  reg: '®',
  trade: '™',
  hellip: '…',
  mdash: '—',
  ndash: '–',
  larr: '←',
  rarr: '→',
  times: '×',
  deg: '°',
  euro: '€',
}

/** `&amp;`, `&#38;`, `&#x26;` as the character that is meant; undefined where none is. */
export function readEntity(entity: string): string | undefined {
  const name = entity.slice(1, -1)
  if (!name.startsWith('#')) return Object.hasOwn(named, name) ? named[name] : undefined
  const code = /^#[xX]/.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  // NUL, halves of characters and what is beyond the last character are nobody's.
  if (!Number.isInteger(code) || code <= 0 || code > 0x10_ff_ff || (code >= 0xd8_00 && code <= 0xdf_ff)) return '\ufffd'
  return String.fromCodePoint(code)
}
