import { randomUUID } from 'node:crypto'
import type { Draft, SessionState } from '@hotline/core/session/state'
import type { Report } from '@hotline/protocol/commands/agent'
import type { RestoredFile } from '@hotline/protocol/events/checkpoint'
import type { DraftFile } from '@hotline/protocol/events/draft'
import { holdsAgent } from '@hotline/protocol/session-status'
import type { Snapshot, SnapshotWish } from '../workspace/tasks.ts'
import type { KeptContent, Preview, Shows } from '../workspace/undo.ts'
import type { Workspace } from '../workspace/workspaces.ts'
import {
  type Branches,
  type CommitOutcome,
  draftFiles,
  readyReport,
  resolvedReport,
  type Review,
  weighReview,
} from './draft-report.ts'
import { fitting } from './fitting.ts'
import { told } from './report-of.ts'

/** What is shown of changes where somebody asked for them, and where nobody did. */
const asked: Shows = { textChars: 96 * 1024, counts: 'lines' }
const unasked: Shows = { textChars: 32 * 1024, counts: 'lines' }

const nobodyWaits = 'The agent does not wait for it any more.'
const nothingNew = 'The agent has changed nothing that was not looked at.'
const notAsShown = 'The files are not as they were shown any more. Look at it again.'

/** The branch of a session's worktree, and how what was kept gets there. Answers where it cannot be, too. */
export interface DraftCommits {
  branch: string
  /** Others that it could be merged into. */
  branches(): Promise<readonly string[]>
  commit(
    files: readonly KeptContent[],
    wish: { message: string; into: string | undefined; by: string | undefined },
  ): Promise<CommitOutcome>
}

/** What drafts are made with. All of it is called while nothing else is done with the files. */
export interface DraftsPorts {
  workspace: Workspace
  state: () => SessionState | undefined
  /** What was decided in the review that is under way. */
  review: () => Review
  put: (report: Report) => void
  /** A program knows no turns: of it nothing is shown by itself, nor where its profile does not want that. */
  offers: 'by_itself' | 'when_asked'
  /** Where what is kept can be committed; undefined where the session has no worktree. */
  commits: DraftCommits | undefined
  /** A snapshot of how it is now, and that it was taken. */
  wish: () => SnapshotWish
  took: (wish: SnapshotWish, outcome: { snapshots: readonly Snapshot[]; tip: string }) => void
  /** The last snapshot that is complete. */
  tip: () => string
  turn: () => string | undefined
  /** Files that people keep, with the digest of how they were, and that there are others now. */
  kept: Map<string, string>
  keptMore: () => void
}

/** Where changes cannot be put up for review, what whoever asked for it hears. */
export type NotShown = { nothing: true } | { whyNot: string }

/** What an agent changed, put up for review: when people ask, when it asks, and by itself when its turn has ended. */
export class SessionDrafts {
  readonly #ports: DraftsPorts
  /** The snapshot that people were shown the changes of. */
  #shownTip = ''
  /** Reviews that the agent waits for in the middle of its work. */
  readonly #awaited = new Set<string>()

  constructor(ports: DraftsPorts) {
    this.#ports = ports
  }

  /** What an earlier life did not come to show is shown now, or at the end of the turn that goes on. */
  async begin(): Promise<void> {
    const { turn, checkpoints, changed, draft } = this.#ports.state() ?? {}
    // The agent has lost its line to whoever waited for it.
    if (draft?.waits === true && draft.phase === 'ready') this.#refuse(draft.draft, nobodyWaits)
    const isShown = checkpoints === undefined || changed !== undefined
    if (turn === undefined && isShown) this.#shownTip = this.#ports.tip()
    else await this.#offer({ standing: draft })
  }

  /** What the agent waited for in the turn is closed with it. */
  async turnEnded(turn: string): Promise<void> {
    if (this.#awaited.size > 0) this.#shownTip = ''
    this.#awaited.clear()
    await this.#offer({ standing: this.#ports.state()?.draft, turn })
  }

  /** The files are others, and not by the agent. */
  async changed(): Promise<void> {
    this.#shownTip = ''
    await this.#offer({ standing: this.#ports.state()?.draft })
  }

  /** The agent puts its changes up for review and waits. Undefined where people are shown them. */
  async submit(draft: string, note: string | undefined): Promise<NotShown | undefined> {
    const { state, put, turn } = this.#ports
    const standing = state()?.draft
    if (standing && (standing.phase !== 'ready' || standing.waits === true)) {
      return { whyNot: 'Changes are being reviewed already. Wait for that, and ask again.' }
    }
    const planned = await this.#plan(asked)
    if ('whyNot' in planned) return planned
    const { preview } = planned
    const files = this.#unreviewed(preview)
    if (files.length === 0) return { nothing: true }
    this.#shownTip = this.#ports.tip()
    this.#awaited.add(draft)
    put(readyReport(draft, preview, files, { turn: turn(), waits: true, note, at: await this.#branches() }))
    return undefined
  }

  /** It does not wait any more. */
  async unsubmit(draft: string): Promise<void> {
    if (!this.#awaited.delete(draft)) return
    this.#refuse(draft, nobodyWaits)
    await this.#again()
  }

  /** Somebody wants to see what there is. */
  async show(draft: string): Promise<void> {
    const planned = await this.#plan(asked)
    if ('whyNot' in planned) return this.#refuse(draft, planned.whyNot)
    const { preview } = planned
    this.#shownTip = this.#ports.tip()
    const files = this.#unreviewed(preview)
    if (files.length === 0) return this.#refuse(draft, nothingNew, preview.count)
    this.#ports.put(readyReport(draft, preview, files, { at: await this.#branches() }))
  }

  /** About exactly what was shown: where a file is another one by now, nothing is done, and what there is is shown anew. */
  async resolve(draft: string): Promise<void> {
    const whyNot = await this.#resolve(draft)
    if (whyNot !== undefined) {
      this.#awaited.delete(draft)
      this.#refuse(draft, whyNot)
    }
    // What is open stays up for review, as it is now.
    await this.#again()
  }

  async #resolve(draft: string): Promise<string | undefined> {
    const { workspace, state, review, put, kept: keptBefore } = this.#ports
    const digest = state()?.draft?.digest ?? ''
    const planned = await this.#plan()
    if ('whyNot' in planned) return planned.whyNot
    const { preview } = planned
    if (preview.digest !== digest) return notAsShown
    const decided = review()
    const { kept, discarded, open } = weighReview(draftFiles(preview, keptBefore), decided)
    const commit = await this.#commit(digest, kept, decided)
    let before: string | undefined
    let restored: readonly RestoredFile[] = []
    if (discarded.length > 0) {
      const only = [...discarded]
      const again = this.#ports.wish()
      const done = await workspace.apply(again, {}, { digest, also: only, except: [], only })
      if (!done.ok) return done.note
      this.#ports.took(again, done.outcome)
      if (!done.outcome.done) return notAsShown
      restored = done.outcome.done.files
      before = done.outcome.done.before
    }
    // Before it is noted as kept: who ends in the middle finds it up for review again, and not kept and nowhere.
    const committed = await commit()
    for (const { path, digest: of } of kept) keptBefore.set(path, of)
    this.#ports.keptMore()
    const heard = this.#awaited.delete(draft)
    const { reason } = decided
    const { count: changed } = preview
    put(resolvedReport(draft, { kept, open, restored, before, reason, changed, heard, committed }))
    return undefined
  }

  /** How the files are now, with a snapshot of it, beside how they were before the agent. */
  async #plan(shows?: Shows): Promise<{ preview: Preview } | { whyNot: string }> {
    const { workspace, took } = this.#ports
    const wish = this.#ports.wish()
    const done = await workspace.plan(wish, {}, shows)
    if (!done.ok) return { whyNot: done.note }
    took(wish, done.outcome)
    return done.outcome
  }

  /** Nothing stands any more, and what there is is put up anew. */
  async #again(): Promise<void> {
    this.#shownTip = ''
    await this.#offer({ standing: undefined })
  }

  /**
   * What the agent has changed is put up for review when it comes to rest, by itself. Not while messages wait: they begin the
   * next turn, and its end shows everything.
   */
  async #offer({ standing, turn }: { standing: Draft | undefined; turn?: string }): Promise<void> {
    const { workspace, state, put, offers, tip } = this.#ports
    const { queue = [], status = 'aborted' } = state() ?? {}
    if (offers === 'when_asked' || tip() === this.#shownTip || queue.length > 0 || !holdsAgent(status)) return
    // The end of the turn shows it; or somebody has asked already.
    if (this.#ports.turn() !== undefined || (standing && standing.phase !== 'ready')) return
    const done = await workspace.look(unasked)
    if (!done.ok) return
    const { preview } = done.outcome
    this.#shownTip = tip()
    const files = this.#unreviewed(preview)
    if (files.length > 0) put(readyReport(randomUUID(), preview, files, { turn, at: await this.#branches() }))
    else if (standing) this.#refuse(standing.draft, nothingNew, preview.count)
  }

  async #branches(): Promise<Branches | undefined> {
    const { commits } = this.#ports
    return commits && { branch: commits.branch, branches: await commits.branches() }
  }

  /** As it was shown, whatever lies there by now; before anything is put back. */
  async #commit(
    digest: string,
    kept: readonly DraftFile[],
    { commit, into, by }: Review,
  ): Promise<() => Promise<CommitOutcome>> {
    const { commits, workspace } = this.#ports
    if (commit === undefined || kept.length === 0) return () => Promise.resolve({})
    if (!commits) return () => Promise.resolve({ uncommitted: 'The session has no worktree of its own.' })
    const read = await workspace.read(
      digest,
      kept.map(({ path }) => path),
    )
    if (!read.ok) return () => Promise.resolve({ uncommitted: read.note })
    return () => commits.commit(read.outcome.files, { message: commit, into, by })
  }

  #unreviewed(preview: Preview): readonly DraftFile[] {
    return fitting(draftFiles(preview, this.#ports.kept), ({ path, guarded = '' }) => path + guarded)
  }

  #refuse(draft: string, reason: string, changed?: number): void {
    this.#ports.put({ type: 'draft.refused', data: told({ draft, changed }), body: { reason } })
  }
}
