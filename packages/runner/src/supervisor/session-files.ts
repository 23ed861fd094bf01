import { randomUUID } from 'node:crypto'
import type { Holder } from '@hotline/core/undo/plan-undo'
import type { Draft, SessionState } from '@hotline/core/session/state'
import type { Report } from '@hotline/protocol/commands/agent'
import type { LeftOut, Moment, RestoredFile, WhySkipped } from '@hotline/protocol/events/checkpoint'
import type { DraftFile } from '@hotline/protocol/events/draft'
import type { StepKind } from '@hotline/protocol/events/turn'
import { holdsAgent } from '@hotline/protocol/session-status'
import type { Log } from '../log.ts'
import type { Neighbours } from '../workspace/neighbours.ts'
import type { WorkspaceRecords } from '../workspace/record.ts'
import type { Begun, Snapshot, SnapshotWish } from '../workspace/tasks.ts'
import type { Preview } from '../workspace/undo.ts'
import type { NotDone, Workspace } from '../workspace/workspaces.ts'
import { draftFiles, readyReport, resolvedReport, type Review, weighReview } from './draft-report.ts'
import { told } from './report-of.ts'

/** Steps that begin between two snapshots and are remembered. */
const beganMax = 2_000
const ranMax = 200
/** A folder that was too much for a snapshot is not looked through again so soon: its agent would wait each time. */
const tooMuchForMs = 10 * 60_000
/** Names in one event, and their characters. */
const namesMax = 1_000
const nameChars = 48 * 1024

/** Steps after which the files may be others. */
const mutating: readonly StepKind[] = ['edit', 'delete', 'move', 'execute', 'other']
/** Steps that may have acted elsewhere. */
const reaching: readonly StepKind[] = ['execute', 'fetch', 'other']

const tooMuch: readonly WhySkipped[] = ['files', 'bytes', 'time']

/** Characters of changes that are shown where somebody asked for them, and where nobody did. */
const askedChars = 96 * 1024
const unaskedChars = 32 * 1024

const nothingNew = 'The agent has changed nothing that was not looked at.'
const notAsShown = 'The files are not as they were shown any more. Look at it again.'

/** What a session's files are kept with. */
export interface FilesPorts {
  session: string
  workspace: Workspace
  records: WorkspaceRecords
  neighbours: Neighbours
  state: () => SessionState | undefined
  /** What was decided in the review that is under way. */
  review: () => Review
  /** What was chosen with the undo that is under way. */
  chosen: () => { also: readonly string[]; except: readonly string[] }
  put: (report: Report) => void
  log: Log
  /** `turns`: between them it is at rest; `always`: as long as it runs nobody knows who writes what. */
  works: 'turns' | 'always'
}

/**
 * The files of a session, as the log tells of them: snapshots before and after each turn and after each step that may have
 * changed something, and what people want undone. One thing after the other; nothing here ever fails an agent.
 */
export class SessionFiles {
  readonly #ports: FilesPorts
  #tail: Promise<unknown> = Promise.resolve()
  #pending = 0
  #isStepWaiting = false
  #isBusy = false
  #turn: string | undefined
  /** A snapshot is missing since the last one: what changed is nobody's for sure. */
  #isUnsure = false
  #steps = new Map<string, StepKind>()
  #began: Begun[] = []
  /** The last snapshot that is complete. */
  #tip = ''
  /** The one that people were shown the changes of. */
  #shownTip = ''
  #ran: string[] = []
  /** What was said last of why there is none. */
  #skipped: string | undefined
  #looking: string | undefined
  #reviewing: string | undefined
  #tooMuchUntilMs = Number.NEGATIVE_INFINITY
  /** When the last snapshot was begun, on the clock of `performance.now()`. */
  #lookedAtMs = Number.NEGATIVE_INFINITY
  /** Files that a person keeps, with the digest of how they were. */
  #kept: Map<string, string>
  #onSettled: () => void = () => undefined

  constructor(ports: FilesPorts) {
    this.#ports = ports
    const record = ports.records.read(ports.session)
    this.#isUnsure = record?.isBusy ?? false
    this.#kept = new Map(Object.entries(record?.kept ?? {}))
  }

  /** A snapshot or an undo is under way: the agent waits with what comes next. */
  get isSettling(): boolean {
    return this.#pending > 0
  }

  /** Who is told when that is over. */
  onSettled(settled: () => void): void {
    this.#onSettled = settled
  }

  /** Before the agent is there, or heard again: then it may be in the middle of a turn. */
  begin(): Promise<void> {
    const { neighbours, session, workspace, state, put } = this.#ports
    const others = neighbours.enter(session, workspace.root, state()?.title ?? session)
    if (others.length > 0) put(warning(others))
    return this.#do(async () => {
      await this.#snapshot('start', 'other')
      const { turn, checkpoints, changed, draft } = state() ?? {}
      this.#turn = turn?.turn
      // What an earlier life did not come to show is shown now, or at the end of the turn that goes on.
      const isShown = checkpoints === undefined || changed !== undefined
      if (turn === undefined && isShown) this.#shownTip = this.#tip
      else if (turn === undefined) await this.#offer({ standing: draft })
      this.#busy(this.#ports.works === 'always' || this.#turn !== undefined)
    })
  }

  /** Before the agent hears of its turn. */
  turnBegins(turn: string): Promise<void> {
    return this.#do(async () => {
      await this.#snapshot('turn_started', this.#whoNow(), { turn })
      this.#remember(turn)
      this.#turn = turn
      this.#busy(true)
    })
  }

  stepBegan(step: string, kind: StepKind, title: string): void {
    this.#remember(step)
    if (mutating.includes(kind)) this.#steps.set(step, kind)
    if (reaching.includes(kind) && this.#ran.length < ranMax) this.#ran.push(title.slice(0, 200))
  }

  /** Of several that end while a snapshot is taken, the last one has the next. */
  stepEnded(step: string): void {
    if (!this.#steps.delete(step) || this.#isStepWaiting) return
    this.#isStepWaiting = true
    void this.#do(() => {
      this.#isStepWaiting = false
      return this.#snapshot('step_finished', this.#whoNow(), {
        step,
        ...(this.#turn === undefined ? {} : { turn: this.#turn }),
      })
    })
  }

  turnEnded(turn: string): void {
    void this.#do(async () => {
      await this.#snapshot('turn_ended', this.#whoNow(), { turn })
      this.#turn = undefined
      this.#busy(this.#ports.works === 'always')
      await this.#offer({ standing: this.#ports.state()?.draft, turn })
    })
  }

  /** The agent is gone. */
  ended(): Promise<void> {
    this.#steps.clear()
    return this.#do(async () => {
      await this.#snapshot('ended', this.#whoNow())
      this.#busy(false)
      this.leave()
    })
  }

  /** Nothing of it runs here any more, however that came. */
  leave(): void {
    this.#ports.neighbours.leave(this.#ports.session)
  }

  /** Somebody wants something undone, and nobody has looked yet. */
  get isAsked(): boolean {
    const { undo } = this.#ports.state() ?? {}
    return undo !== undefined && undo.phase !== 'planned' && this.#looking !== `${undo.undo} ${undo.phase}`
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    while (this.#pending > 0) await this.#tail
  }

  /** Somebody may want something undone, or something reviewed. */
  async look(): Promise<void> {
    await Promise.all([this.#lookAtUndo(), this.#lookAtDraft()])
  }

  async #lookAtDraft(): Promise<void> {
    const { draft } = this.#ports.state() ?? {}
    const looking = draft && `${draft.draft} ${draft.phase}`
    if (!draft || draft.phase === 'ready' || this.#reviewing === looking) return
    this.#reviewing = looking
    await this.#do(() => (draft.phase === 'wanted' ? this.#showDraft(draft.draft) : this.#resolveDraft(draft.draft)))
  }

  async #lookAtUndo(): Promise<void> {
    const { undo } = this.#ports.state() ?? {}
    if (!undo || !this.isAsked) return
    this.#looking = `${undo.undo} ${undo.phase}`
    await this.#do(() => (undo.phase === 'wanted' ? this.#plan(undo.undo) : this.#apply(undo.undo)))
  }

  #do(work: () => Promise<void>): Promise<void> {
    this.#pending += 1
    const done = this.#tail.then(work).catch((error: unknown) => {
      const { log, session } = this.#ports
      log.error('files not kept', { session, error: error instanceof Error ? error.stack : String(error) })
    })
    const settled = done.finally(() => {
      this.#pending -= 1
      if (this.#pending === 0) this.#onSettled()
    })
    this.#tail = settled
    return settled
  }

  #remember(id: string): void {
    this.#began.push({ id, after: this.#tip })
    if (this.#began.length > beganMax) this.#began.shift()
  }

  #busy(isBusy: boolean): void {
    const { records, session, workspace, neighbours } = this.#ports
    this.#isBusy = isBusy
    neighbours.busy(session, isBusy)
    const kept = this.#kept.size === 0 ? {} : { kept: Object.fromEntries(this.#kept) }
    records.write(session, { root: workspace.root, isBusy, ...kept })
  }

  #whoNow(): Holder {
    if (!this.#isBusy) return 'other'
    const { works, neighbours, session } = this.#ports
    return works === 'always' || neighbours.wereBusy(session, this.#lookedAtMs) ? 'unsure' : 'agent'
  }

  #wish(moment: Moment, by: Holder, of: { turn?: string; step?: string } = {}): SnapshotWish {
    return { moment, by: this.#isUnsure ? 'unsure' : by, ...of, began: [...this.#began], ran: [...this.#ran] }
  }

  async #snapshot(moment: Moment, by: Holder, of: { turn?: string; step?: string } = {}): Promise<void> {
    if (performance.now() < this.#tooMuchUntilMs) return
    const wish = this.#wish(moment, by, of)
    this.#lookedAtMs = performance.now()
    const done = await this.#ports.workspace.snapshot(wish)
    if (done.ok) this.#took(wish, done.outcome)
    else this.#notTaken(moment, done)
  }

  #took({ began, ran }: SnapshotWish, { snapshots, tip }: { snapshots: readonly Snapshot[]; tip: string }): void {
    this.#isUnsure = false
    this.#skipped = undefined
    if (tip !== this.#tip) {
      this.#tip = tip
      this.#began.splice(0, began?.length ?? 0)
      this.#ran.splice(0, ran?.length ?? 0)
    }
    for (const { checkpoint, moment, turn, step, files, changed, changedCount, leftOut, isFirst } of snapshots) {
      // How it was at the start is no news.
      if (isFirst) continue
      this.#ports.put({
        type: 'checkpoint.created',
        data: told({ checkpoint, moment, turn, step, files, changed: changedCount }),
        body: told({
          changed: fitting(changed, (path) => path),
          ...(leftOut.length > 0 ? { leftOut: fitLeftOut(leftOut) } : {}),
        }),
      })
    }
  }

  /** Said once for each reason: an agent that works for hours would say it a thousand times. */
  #notTaken(moment: Moment, { why, code, note }: NotDone): void {
    const { log, session, put } = this.#ports
    this.#isUnsure = true
    if (tooMuch.includes(code)) this.#tooMuchUntilMs = performance.now() + tooMuchForMs
    if (why === 'failed') log.error('snapshot failed', { session, note })
    if (this.#skipped === code) return
    this.#skipped = code
    put({ type: 'checkpoint.skipped', data: { moment, why: code }, body: { note } })
  }

  async #plan(undo: string): Promise<void> {
    const { workspace, state, put } = this.#ports
    const to = state()?.undo?.to ?? {}
    const wish = this.#wish('undo', this.#whoNow())
    const done = await workspace.plan(wish, to)
    if (!done.ok) return this.#refuse(undo, done.note)
    const { preview } = done.outcome
    this.#took(wish, done.outcome)
    put({
      type: 'undo.planned',
      data: { undo, digest: preview.digest, files: preview.count, asks: preview.asks },
      body: {
        files: fitting(preview.files, ({ path }) => path),
        changes: preview.changes,
        cannot: fitting(preview.cannot, (line) => line),
        leftOut: fitLeftOut(preview.leftOut),
      },
    })
  }

  async #apply(undo: string): Promise<void> {
    const { workspace, state, chosen, put } = this.#ports
    const { to = {}, digest = '' } = state()?.undo ?? {}
    const wish = this.#wish('undo', this.#whoNow())
    const done = await workspace.apply(wish, to, { digest, ...chosen() })
    if (!done.ok) return this.#refuse(undo, done.note)
    const { done: deed } = done.outcome
    this.#took(wish, done.outcome)
    if (!deed) return this.#refuse(undo, notAsShown)
    const restored = deed.files.filter(({ outcome }) => outcome === 'restored').length
    put({
      type: 'checkpoint.restored',
      data: { undo, before: deed.before, restored, kept: deed.files.length - restored },
      body: { files: fitting<RestoredFile>(deed.files, ({ path, why = '' }) => path + why) },
    })
    this.#shownTip = ''
    await this.#offer({ standing: state()?.draft })
  }

  /**
   * What the agent has changed is put up for review when it comes to rest, by itself. Not while messages wait: they begin the
   * next turn, and its end shows everything.
   */
  async #offer({ standing, turn }: { standing: Draft | undefined; turn?: string }): Promise<void> {
    const { workspace, state, put, works } = this.#ports
    const { queue = [], status = 'aborted' } = state() ?? {}
    if (works === 'always' || this.#tip === this.#shownTip || queue.length > 0 || !holdsAgent(status)) return
    // Somebody has asked already.
    if (standing && standing.phase !== 'ready') return
    const done = await workspace.look({ textChars: unaskedChars, counts: 'lines' })
    if (!done.ok) return
    const { preview } = done.outcome
    this.#shownTip = this.#tip
    const files = this.#unreviewed(preview)
    if (files.length > 0) put(readyReport(randomUUID(), preview, files, { turn }))
    else if (standing) this.#refuseDraft(standing.draft, nothingNew, preview.count)
  }

  #unreviewed(preview: Preview): readonly DraftFile[] {
    return fitting(draftFiles(preview, this.#kept), ({ path, guarded = '' }) => path + guarded)
  }

  async #showDraft(draft: string): Promise<void> {
    const { workspace, put } = this.#ports
    const wish = this.#wish('undo', this.#whoNow())
    const done = await workspace.plan(wish, {}, { textChars: askedChars, counts: 'lines' })
    if (!done.ok) return this.#refuseDraft(draft, done.note)
    this.#took(wish, done.outcome)
    const { preview } = done.outcome
    this.#shownTip = this.#tip
    const files = this.#unreviewed(preview)
    if (files.length === 0) return this.#refuseDraft(draft, nothingNew, preview.count)
    put(readyReport(draft, preview, files, {}))
  }

  /** About exactly what was shown: where a file is another one by now, nothing is done. */
  async #resolveDraft(draft: string): Promise<void> {
    const { workspace, state, review, put } = this.#ports
    const digest = state()?.draft?.digest ?? ''
    const wish = this.#wish('undo', this.#whoNow())
    const planned = await workspace.plan(wish, {})
    if (!planned.ok) return this.#refuseDraft(draft, planned.note)
    this.#took(wish, planned.outcome)
    const { preview } = planned.outcome
    if (preview.digest !== digest) return this.#refuseDraft(draft, notAsShown)
    const decided = review()
    const { kept, discarded, open } = weighReview(draftFiles(preview, this.#kept), decided)
    let before: string | undefined
    let restored: readonly RestoredFile[] = []
    if (discarded.length > 0) {
      const only = [...discarded]
      const again = this.#wish('undo', this.#whoNow())
      const done = await workspace.apply(again, {}, { digest, also: only, except: [], only })
      if (!done.ok) return this.#refuseDraft(draft, done.note)
      this.#took(again, done.outcome)
      if (!done.outcome.done) return this.#refuseDraft(draft, notAsShown)
      restored = done.outcome.done.files
      before = done.outcome.done.before
    }
    for (const { path, digest: of } of kept) this.#kept.set(path, of)
    this.#busy(this.#isBusy)
    const report = resolvedReport(draft, {
      kept,
      open,
      restored,
      before,
      reason: decided.reason,
      changed: preview.count,
    })
    put(report)
    // What is open stays up for review, as it is now.
    this.#shownTip = report.data['open'] === 0 ? this.#tip : ''
    await this.#offer({ standing: undefined })
  }

  #refuseDraft(draft: string, reason: string, changed?: number): void {
    this.#ports.put({ type: 'draft.refused', data: told({ draft, changed }), body: { reason } })
  }

  #refuse(undo: string, reason: string): void {
    this.#ports.put({ type: 'undo.refused', data: { undo }, body: { reason } })
  }
}

/** Said in the session's own output: undo cannot tell one agent from another. */
function warning(others: readonly string[]): Report {
  const names = others.map((title) => JSON.stringify(title)).join(', ')
  const text = `Another session works in this folder: ${names}. What both change at the same time is taken back only where you name it.\n`
  return {
    type: 'output.appended',
    data: { source: 'log', encoding: 'utf8', bytes: Buffer.byteLength(text) },
    body: { text },
  }
}

function fitLeftOut(leftOut: readonly LeftOut[]): readonly LeftOut[] {
  return fitting(leftOut, ({ path, why }) => path + why)
}

/** As many as an event can take. */
function fitting<T>(items: readonly T[], textOf: (item: T) => string): readonly T[] {
  let left = nameChars
  return items.slice(0, namesMax).filter((item) => (left -= textOf(item).length + 20) > 0)
}
