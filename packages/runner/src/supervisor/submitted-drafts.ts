import type { EventOf } from '@hotline/protocol/events'
import type { DeskReview } from '../desk/desk-protocol.ts'
import type { Desk, ReviewEvent } from '../desk/desk.ts'
import type { NotShown } from './session-drafts.ts'

/** Files that can be put up for review. */
interface Submittable {
  submit: (draft: string, note: string | undefined) => Promise<NotShown | undefined>
  unsubmit: (draft: string) => void
}

/** What an agent's programs put up for review at its desk, and what they hear of it. */
export class SubmittedDrafts {
  readonly #desk: Pick<Desk, 'reviewed'> | undefined
  readonly #files: () => Submittable | undefined

  constructor(desk: Pick<Desk, 'reviewed'> | undefined, files: () => Submittable | undefined) {
    this.#desk = desk
    this.#files = files
  }

  async heard(event: ReviewEvent): Promise<void> {
    const files = this.#files()
    if (event.t === 'unsubmitted') return files?.unsubmit(event.draft)
    const noFiles = {
      whyNot: 'Of the files of this session no snapshots are kept, so nobody can say what was changed.',
    }
    const not = files ? await files.submit(event.draft, event.note) : noFiles
    if (not === undefined) return
    const review: Omit<DeskReview, 'files'> =
      'nothing' in not ? { outcome: 'nothing' } : { outcome: 'closed', reason: not.whyNot }
    this.#desk?.reviewed(event.draft, { ...review, files: [] })
  }

  /** What people decided, or that they will not. */
  followed({ type, data, body }: EventOf<'draft.resolved' | 'draft.refused' | 'draft.dropped'>): void {
    const reason = body?.reason === undefined ? {} : { reason: body.reason }
    const files = type === 'draft.resolved' ? (body?.files ?? []) : []
    this.#desk?.reviewed(data.draft, {
      outcome: type === 'draft.resolved' ? 'reviewed' : 'closed',
      files: files.map(({ path, outcome, why }) => ({ path, outcome, ...(why === undefined ? {} : { why }) })),
      ...reason,
    })
  }
}
