import type { FileChange } from '@hotline/protocol/events/turn'

const executable = '100755'
const kinds: Readonly<Record<string, string>> = { '120000': 'a link', '160000': 'a repository of its own' }

/** What a change does to a file besides its lines, in words; the name that it had is apart, for letters that deceive. */
export function changeFacts({
  cameFrom,
  modes,
  binary,
  removed,
}: FileChange): readonly { words: string; name?: string }[] {
  return [
    ...(removed === true ? [{ words: 'removed' }] : []),
    ...(cameFrom ? [{ words: cameFrom.how === 'copied' ? 'copied from' : 'moved from', name: cameFrom.path }] : []),
    ...(modes ? [{ words: modeWords(modes) }] : []),
    ...(binary === true ? [{ words: 'not text: what changed in it is not shown' }] : []),
  ]
}

function modeWords({ from, to = '' }: { from?: string | undefined; to?: string | undefined }): string {
  const kind = kinds[to]
  if (kind !== undefined) return `becomes ${kind}`
  if (to === executable) return 'can be run as a program'
  if (from === executable) return 'can no longer be run as a program'
  return `mode ${[from, to].filter(Boolean).join(' → ')}`
}
