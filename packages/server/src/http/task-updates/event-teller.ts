import { evolveSession } from '@hotline/core/session/evolve'
import type { SessionState } from '@hotline/core/session/state'
import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'
import type { TaskStatus, TaskStep } from '@hotline/protocol/task-api'
import type { TaskUpdate } from '@hotline/protocol/task-updates'
import type { LogStore } from '../../log/log-store.ts'
import type { FoundTask } from '../../session/find-task.ts'
import { errorOf, openRequests, readLastWords, readStep, statusOf } from '../../session/task-view.ts'
import { formatPlace, type Place, stateMessages } from './place.ts'

/** A message before it has its place. */
interface Told {
  type: TaskUpdate['type']
  data: Omit<TaskUpdate['data'], 'taskId'>
}

/** Steps that are kept while they run; others are read again. */
const stepsMax = 100

/**
 * Makes messages of the events of a session, in their order. What was before the state that it begins with is told without a
 * status: that is told once, as it is then, and after it whenever it becomes another.
 */
export class EventTeller {
  readonly #store: LogStore
  readonly #task: FoundTask
  readonly #since: Place | undefined
  readonly #steps = new Map<string, TaskStep>()
  #state: SessionState
  #status: TaskStatus
  #isStateTold = false

  /** `since`: the place of the last message that an earlier connection had, in the same life of the stream. */
  constructor(store: LogStore, task: FoundTask, since: Place | undefined) {
    this.#store = store
    this.#task = task
    this.#since = since
    this.#state = task.state
    this.#status = statusOf(task.state)
  }

  /** Nothing comes after what was told. */
  get isOver(): boolean {
    return this.#isStateTold && endOf(this.#status) !== undefined
  }

  get status(): TaskStatus {
    return this.#status
  }

  /** How it stands, and for whoever is new here what waits for an answer. */
  async atState(nowMs: number): Promise<readonly TaskUpdate[]> {
    this.#isStateTold = true
    const open = this.#since ? [] : await openRequests(this.#store, this.#state)
    const told: Told[] = [
      { type: 'status_change', data: { status: this.#status } },
      ...open.map((approvalRequest): Told => ({ type: 'approval_request', data: { approvalRequest } })),
      ...(await this.#ending(this.#task.seq)),
    ]
    return this.#placed(told, this.#task.seq, stateMessages, nowMs)
  }

  async tell(event: Envelope): Promise<readonly TaskUpdate[]> {
    const { seq } = event
    const atMs = Date.parse(event.at)
    if (seq <= this.#task.seq) {
      const before = this.#placed(await this.#toldOf(event), seq, 0, atMs)
      return seq < this.#task.seq ? before : [...before, ...(await this.atState(atMs))]
    }
    this.#state = evolveSession(this.#state, event) ?? this.#state
    const told = await this.#toldOf(event)
    const status = statusOf(this.#state)
    if (status !== this.#status) {
      this.#status = status
      told.push({ type: 'status_change', data: { status } }, ...(await this.#ending(seq)))
    }
    return this.#placed(told, seq, 0, atMs)
  }

  async #toldOf(event: Envelope): Promise<Told[]> {
    const known = asKnown(event)
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- nothing is told of the others
    switch (known?.type) {
      case 'step.started':
        return [{ type: 'step_start', data: await this.#stepOf(known.data.step) }]
      case 'step.progressed': {
        const { step, progress } = known.data
        if (progress === undefined) return []
        return [
          { type: 'step_progress', data: { ...(await this.#stepOf(step)), progress: Math.round(progress * 100) } },
        ]
      }
      case 'step.finished': {
        const { step: id, outcome } = known.data
        this.#steps.delete(id)
        // What an agent prints and says is not sent here: of a step it is read.
        const found = await readStep(this.#store, this.#task.session, id)
        const message = [outcome, found?.error].filter(Boolean).join(': ')
        return [{ type: 'step_complete', data: { ...(found ? { step: found.step } : {}), message } }]
      }
      case 'approval.requested':
      case 'approval.opened': {
        // Of one that was answered meanwhile nothing is told: nobody has to do anything.
        const open = await openRequests(this.#store, this.#state)
        const approvalRequest = open.find(({ approvalId }) => approvalId === known.data.approval)
        return approvalRequest ? [{ type: 'approval_request', data: { approvalRequest } }] : []
      }
      case 'turn.ended':
        return wrong(errorOf(known, undefined))
      case 'session.state_changed':
        return known.data.to === 'aborted' ? [] : wrong(errorOf(undefined, known))
      default:
        return []
    }
  }

  async #stepOf(id: string): Promise<{ step?: TaskStep }> {
    const step = this.#steps.get(id) ?? (await readStep(this.#store, this.#task.session, id))?.step
    if (!step) return {}
    this.#steps.set(id, step)
    const [oldest] = this.#steps.keys()
    if (this.#steps.size > stepsMax && oldest !== undefined) this.#steps.delete(oldest)
    return { step }
  }

  /** What says that it is over; nothing while it is not. A failure was told as an error. */
  async #ending(seq: number): Promise<readonly Told[]> {
    const type = endOf(this.#status)
    if (type === undefined || type === 'error') return []
    return [{ type, data: { result: await readLastWords(this.#store, this.#task.session, seq) } }]
  }

  /** Those that an earlier connection had are left out. */
  #placed(told: readonly Told[], seq: number, from: number, timestamp: number): readonly TaskUpdate[] {
    const { session: taskId, epoch } = this.#task
    const since = this.#since
    return told.flatMap(({ type, data }, at): TaskUpdate[] => {
      const index = from + at
      if (since && (seq < since.seq || (seq === since.seq && index <= since.index))) return []
      return [{ type, data: { taskId, ...data }, timestamp, id: formatPlace({ epoch, seq, index }) }]
    })
  }
}

/** With what a task ends that stands so; undefined while it goes on. */
function endOf(status: TaskStatus): 'completed' | 'cancelled' | 'error' | undefined {
  if (status === 'completed' || status === 'cancelled') return status
  return status === 'failed' ? 'error' : undefined
}

function wrong(message: string | null): Told[] {
  return message === null ? [] : [{ type: 'error', data: { message } }]
}
