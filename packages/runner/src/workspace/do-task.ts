import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Holder } from '@hotline/core/undo/plan-undo'
import type { Moment } from '@hotline/protocol/events/checkpoint'
import { ShadowGit } from './git.ts'
import type { Note } from './history.ts'
import { Store, type Taken } from './store.ts'
import { noteUse } from './sweep.ts'
import type { Outcome, Place, Snapshot, SnapshotWish, Task } from './tasks.ts'
import { applyPlan, contentsOf, makePlan, NoSuchPlace, previewOf, type UndoPlan } from './undo.ts'

/** When an agent has come to rest. */
const rests: readonly Moment[] = ['turn_ended', 'ended', 'undo']

/** Stores that are known by heart at once; of the others the next look reads every file. */
const storesMax = 32

/** Does tasks in folders: one at a time in each. */
export class TaskDoer {
  readonly #umask: number
  readonly #stores = new Map<string, { store: Store; tail: Promise<unknown> }>()

  constructor(umask: number) {
    this.#umask = umask
  }

  /** `Skipped` and `NoSuchPlace` are answers; everything else that it throws is a fault. */
  do(place: Place, task: Task): Promise<Outcome[keyof Outcome]> {
    const held = this.#open(place)
    const doing = held.tail.then(() => this.#do(held.store, place, task))
    held.tail = doing.catch(() => undefined)
    return doing
  }

  #open(place: Place): { store: Store; tail: Promise<unknown> } {
    const known = this.#stores.get(place.store)
    this.#stores.delete(place.store)
    const held = known ?? this.#begin(place)
    this.#stores.set(place.store, held)
    for (const oldest of this.#stores.keys()) {
      if (this.#stores.size <= storesMax) break
      this.#stores.delete(oldest)
    }
    return held
  }

  #begin({ root, store, git, never, bounds }: Place): { store: Store; tail: Promise<unknown> } {
    const shadow = new ShadowGit(git, join(store, 'git'))
    const ports = { git: shadow, root, bounds, never: new Set(never), umask: this.#umask, wallMs: Date.now }
    return { store: new Store(ports), tail: shadow.open() }
  }

  async #do(store: Store, place: Place, task: Task): Promise<Outcome[keyof Outcome]> {
    // A store that could not be opened says why, each time.
    await store.git.open()
    noteUse(place.store)
    const { session } = place
    if (task.do === 'look') {
      return { preview: await previewOf(store, await makePlan(store, session, {}), [], task.shows) }
    }
    if (task.do === 'read') {
      const plan = await makePlan(store, session, {})
      if (plan.digest !== task.digest) throw new NoSuchPlace('The files are not as they were shown any more.')
      return { files: await contentsOf(store, plan, new Set(task.paths)) }
    }
    const first = await this.#take(store, session, task.wish, {})
    switch (task.do) {
      case 'snapshot':
        return { snapshots: first.snapshots, tip: first.tip }
      case 'plan': {
        const plan = await makePlan(store, session, task.to)
        return {
          snapshots: first.snapshots,
          tip: first.tip,
          preview: await previewOf(store, plan, first.taken.leftOut, task.shows),
        }
      }
      case 'apply': {
        const plan = await makePlan(store, session, task.to)
        if (plan.digest !== task.digest) return { snapshots: first.snapshots, tip: first.tip }
        return this.#apply(store, session, plan, task, first.snapshots)
      }
    }
  }

  async #apply(
    store: Store,
    session: string,
    plan: UndoPlan,
    task: Extract<Task, { do: 'apply' }>,
    before: readonly Snapshot[],
  ): Promise<Outcome['apply']> {
    const files = await applyPlan(store, plan, {
      also: new Set(task.also),
      except: new Set(task.except),
      only: task.only && new Set(task.only),
    })
    const paths = files.filter(({ outcome }) => outcome === 'restored').map(({ path }) => path)
    const wish = { moment: 'undone', by: 'undo' } as const
    const after = await this.#take(store, session, wish, { paths })
    return {
      snapshots: [...before, ...after.snapshots],
      tip: after.tip,
      done: { before: plan.tip.note.checkpoint, files },
    }
  }

  async #take(
    store: Store,
    session: string,
    { moment, by, turn, step, began, ran }: SnapshotWish,
    more: { paths?: string[] },
  ): Promise<{ taken: Taken; snapshots: readonly Snapshot[]; tip: string }> {
    const last = await store.lastOf(session)
    const checkpoint = randomUUID()
    const note: Note = {
      checkpoint,
      moment,
      by: by satisfies Holder,
      ...(turn === undefined ? {} : { turn }),
      ...(began === undefined || began.length === 0 ? {} : { began: [...began] }),
      ...(ran === undefined || ran.length === 0 ? {} : { ran: [...ran] }),
      ...more,
    }
    // What began while a snapshot was taken is in none of them, and would be forgotten.
    const isBehind = began?.some(({ after }) => after !== last?.note.checkpoint) ?? false
    const taken = await store.take(session, note, isBehind && rests.includes(moment) ? 'always' : 'if_changed')
    const tip = taken.kept?.note.checkpoint ?? last?.note.checkpoint ?? ''
    if (!taken.kept || (last && taken.changedCount === 0)) return { taken, snapshots: [], tip }
    const isFirst = last === undefined
    const { files, changed, changedCount, leftOut } = taken
    return {
      taken,
      snapshots: [{ checkpoint, moment, turn, step, files, changed, changedCount, leftOut, isFirst }],
      tip,
    }
  }
}

export { NoSuchPlace }
