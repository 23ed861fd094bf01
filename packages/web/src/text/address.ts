/** An address that may be followed from the page. */
export interface Address {
  href: string
  /** Where it leads, in the fewest words that cannot deceive: a host, or a mailbox. */
  where: string
}

/**
 * Web and mail addresses only; undefined for everything else (`javascript:`, `data:`, `file:`, other programs' schemes, and
 * what stands relative to this page). The browser's own reading decides, so that there is no second one to disagree with.
 */
export function readAddress(target: string): Address | undefined {
  const url = URL.parse(target)
  if (!url) return undefined
  if (url.protocol === 'https:' || url.protocol === 'http:') return { href: url.href, where: url.host }
  // More than the mailbox would fill in a letter in somebody's name.
  if (url.protocol === 'mailto:' && url.pathname !== '') return { href: `mailto:${url.pathname}`, where: url.pathname }
  return undefined
}

/** Whether what is read is where it leads, so that the host need not be said beside it. */
export function isHonest(label: string, { href, where }: Address): boolean {
  if (href.startsWith('mailto:')) return label === where || label === href
  const url = URL.parse(label)
  return url?.href === href && url.username === '' && url.password === '' && label.includes(`//${url.host}`)
}

const bare = /\bhttps?:\/\/[^\s<>"'`()[\]{}\p{Cc}\p{Bidi_Control}]{1,2000}/gu

/** A text with the web addresses that stand in it; a full stop after one is not its own. */
export function findAddresses(text: string): readonly (string | (Address & { label: string }))[] {
  const found: (string | (Address & { label: string }))[] = []
  let from = 0
  for (const match of text.matchAll(bare)) {
    const label = match[0].replace(/[.,;:!?*_]+$/, '')
    const address = readAddress(label)
    if (!address) continue
    if (match.index > from) found.push(text.slice(from, match.index))
    found.push({ ...address, label })
    from = match.index + label.length
  }
  if (from < text.length) found.push(text.slice(from))
  return found
}
