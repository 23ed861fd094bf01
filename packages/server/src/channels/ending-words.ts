import type { Ending } from '../http/permissions/ending-message.ts'

const places: Readonly<Record<string, string>> = {
  web: ' in the browser',
  cli: ' in a terminal',
  api: ' over the API',
}

/** What became of a request, in one line: `Allowed by dana in the browser`. */
export function endingWords(ending: Ending): string {
  switch (ending.type) {
    case 'permission-timeout':
      return 'Nobody answered in time'
    case 'permission-cancelled':
      return 'The agent no longer asks'
    case 'permission-resolved': {
      const { decision, modified, by, channel } = ending
      const what = decision === 'deny' ? 'Denied' : modified ? 'Changed and allowed' : 'Allowed'
      if (by.kind === 'system') return `${what} by a rule`
      return `${what} by ${by.name ?? by.kind}${places[channel ?? ''] ?? ''}`
    }
  }
}
