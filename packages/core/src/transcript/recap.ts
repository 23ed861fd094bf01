import type { Item } from './item.ts'

/** Characters of one thing that was said or done; what is longer is cut in its middle. */
const itemChars = 2_000

/**
 * A conversation for an agent that has no memory of it: who said what, what was done and what people decided, oldest first.
 * Of more than `maxChars` characters the end stays. Empty where nothing was said.
 */
export function recapOf(items: readonly Item[], maxChars: number): string {
  const lines: string[] = []
  let chars = 0
  for (const item of items.toReversed()) {
    const line = lineOf(item)
    if (line === undefined) continue
    chars += line.length + 1
    if (chars > maxChars) {
      lines.push('(What was before is left out.)')
      break
    }
    lines.push(line)
  }
  return lines.toReversed().join('\n')
}

function lineOf(item: Item): string | undefined {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the rest tells an agent nothing about its work
  switch (item.kind) {
    case 'message':
      // What still waits comes to the agent as a message of its own.
      if (item.erased || item.text === '' || item.delivery === 'queued' || item.delivery === 'withdrawn')
        return undefined
      return `${item.role === 'agent' ? 'You' : 'Person'}: ${cut(item.text)}`
    case 'step':
      return `You did (${item.outcome ?? 'nobody knows how it ended'}): ${cut(item.title)}`
    case 'approval': {
      if (!item.request) return undefined
      const outcome = item.outcome?.replaceAll('_', ' ') ?? 'not answered'
      return `You asked: ${cut(item.request.title)} - ${outcome}${item.reason ? `: ${cut(item.reason)}` : ''}`
    }
    case 'question':
      return `You asked: ${cut(item.text)} - ${item.content === undefined ? (item.action ?? 'not answered') : cut(JSON.stringify(item.content))}`
    default:
      return undefined
  }
}

function cut(text: string): string {
  if (text.length <= itemChars) return text
  const half = itemChars / 2
  return `${text.slice(0, half)} … ${text.slice(-half)}`.toWellFormed()
}
