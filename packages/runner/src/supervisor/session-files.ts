import type { Holder } from '@hotline/core/undo/plan-undo'
import type { SessionState } from '@hotline/core/session/state'
import type { Report } from '@hotline/protocol/commands/agent'
import type { LeftOut, Moment, RestoredFile, WhySkipped } from '@hotline/protocol/events/checkpoint'
import type { StepKind } from '@hotline/protocol/events/turn'
import type { Log } from '../log.ts'
import type { ReviewTime } from '../profiles/profile.ts'
import type { Neighbours } from '../workspace/neighbours.ts'
import type { WorkspaceRecords } from '../workspace/record.ts'
import type { Begun, Snapshot, SnapshotWish } from '../workspace/tasks.ts'
import type { NotDone, Workspace } from '../workspace/workspaces.ts'
import type { Review } from './draft-report.ts'
import { fitting } from './fitting.ts'
import { type DraftCommits, type NotShown, SessionDrafts } from './session-drafts.ts'
import { remarkReport, told } from './report-of.ts'

/** Steps that begin between two snapshots and are remembered. */
const beganMax = 2_000
const ranMax = 200
/** A folder that was too much for a snapshot is not looked through again so soon: its agent would wait each time. */
const tooMuchForMs = 10 * 60_000
/** Steps after which the files may be others. */
const mutating: readonly StepKind[] = ['edit', 'delete', 'move', 'execute', 'other']
/** Steps that may have acted elsewhere. */
const reaching: readonly StepKind[] = ['execute', 'fetch', 'other']

const tooMuch: readonly WhySkipped[] = ['files', 'bytes', 'time']

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
  /** Where what is kept can be committed. */
  commits: DraftCommits | undefined
  /** What was chosen with the undo that is under way. */
  chosen: () => { also: readonly string[]; except: readonly string[] }
  put: (report: Report) => void
  log: Log
  /** `turns`: between them it is at rest; `always`: as long as it runs nobody knows who writes what. */
  works: 'turns' | 'always'
  reviews: ReviewTime
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
  #ran: string[] = []
  /** What was said last of why there is none. */
  #skipped: string | undefined
  #looking: string | undefined
  #reviewing: string | undefined
  #tooMuchUntilMs = Number.NEGATIVE_INFINITY
  /** When the last snapshot was begun, on the clock of `performance.now()`. */
  #lookedAtMs = Number.NEGATIVE_INFINITY
  /** Files that a person keeps, with the digest of how they were. */
  readonly #kept: Map<string, string>
  readonly #drafts: SessionDrafts
  #onSettled: () => void = () => undefined

  constructor(ports: FilesPorts) {
    this.#ports = ports
    const record = ports.records.read(ports.session)
    this.#isUnsure = record?.isBusy ?? false
    this.#kept = new Map(Object.entries(record?.kept ?? {}))
    const { workspace, state, review, put, works, reviews, commits } = ports
    this.#drafts = new SessionDrafts({
      workspace,
      state,
      review,
      put,
      offers: works === 'turns' && reviews === 'each_turn' ? 'by_itself' : 'when_asked',
      commits,
      wish: () => this.#wish('undo', this.#whoNow()),
      took: (wish, outcome) => this.#took(wish, outcome),
      tip: () => this.#tip,
      turn: () => this.#turn,
      kept: this.#kept,
      keptMore: () => this.#busy(this.#isBusy),
    })
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
      this.#turn = state()?.turn?.turn
      await this.#drafts.begin()
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
      await this.#drafts.turnEnded(turn)
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

  /**
   * The agent puts its changes up for review in the middle of its work, and waits. Undefined where people are shown them;
   * otherwise what it hears at once.
   */
  async submit(draft: string, note: string | undefined): Promise<NotShown | undefined> {
    let answer: NotShown | undefined
    await this.#do(async () => {
      // Where it fails that is in the runner's log; somebody waits all the same.
      answer = { whyNot: 'The files cannot be looked at.' }
      answer = await this.#drafts.submit(draft, note)
    })
    return answer
  }

  /** The agent does not wait for it any more. */
  unsubmit(draft: string): void {
    void this.#do(() => this.#drafts.unsubmit(draft))
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
    await this.#do(() =>
      draft.phase === 'wanted' ? this.#drafts.show(draft.draft) : this.#drafts.resolve(draft.draft),
    )
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
    await this.#drafts.changed()
  }

  #refuse(undo: string, reason: string): void {
    this.#ports.put({ type: 'undo.refused', data: { undo }, body: { reason } })
  }
}

/** Said in the session's own output: undo cannot tell one agent from another. */
function warning(others: readonly string[]): Report {
  const names = others.map((title) => JSON.stringify(title)).join(', ')
  return remarkReport(
    `Another session works in this folder: ${names}. What both change at the same time is taken back only where you name it.\n`,
  )
}

function fitLeftOut(leftOut: readonly LeftOut[]): readonly LeftOut[] {
  return fitting(leftOut, ({ path, why }) => path + why)
}
