import type { EventOf } from '@hotline/protocol/events'
import { inLine } from './undo-card.ts'

/** What is said of changes as they happen; `id`: the session, as people type it. */
export function changesNews(event: EventOf<'draft.ready' | 'draft.refused' | 'draft.resolved'>, id: string): string {
  switch (event.type) {
    case 'draft.ready': {
      const { files, added, removed, waits } = event.data
      const counted = added === undefined || removed === undefined ? '' : ` (+${added} -${removed})`
      const what = `${files} ${files === 1 ? 'file' : 'files'}${counted}`
      const note = event.body?.note === undefined ? '' : ` It says: ${inLine(event.body.note)}`
      return waits === true
        ? `the agent waits until somebody has looked at ${what}: hotline changes ${id}${note}`
        : `${what} to keep or discard: hotline changes ${id}`
    }
    case 'draft.refused':
      return inLine(event.body?.reason ?? '')
    case 'draft.resolved': {
      const { kept, discarded, open, commit } = event.data
      const committed = commit === undefined ? '' : `; committed on ${inLine(event.body?.branch ?? '')}`
      return `${kept} kept, ${discarded} discarded, ${open} open${committed}`
    }
  }
}
