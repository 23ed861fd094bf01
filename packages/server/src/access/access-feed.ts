import type { Bus } from '../log/bus.ts'
import type { StoredEvent } from '../log/log-store.ts'

/** Whose rights may have changed: everything of an account, or one key. */
export interface AccessChanged {
  account?: string | undefined
  key?: string | undefined
}

/** Tells who must look at rights again. */
export interface AccessFeed extends Disposable {
  /** How many changes there were: what was read before one may be out of date. */
  readonly changes: number
  /** Hears every change after its commit; the answer ends it. */
  onAccessChanged(listener: (changed: AccessChanged) => void): () => void
}

const concerning =
  /^(account\.(disabled|enabled|password_changed|signed_out)|key\.revoked|member\.(added|changed|removed))$/

/** Reads from the bus which events concern rights: those of accounts and keys, and memberships of any project. */
export function watchAccess(bus: Bus): AccessFeed {
  const listeners = new Set<(changed: AccessChanged) => void>()
  let changes = 0
  const leave = bus.subscribe(({ events }) => {
    for (const event of events) {
      if (!concerning.test(event.type)) continue
      changes += 1
      const changed = subjectOf(event)
      for (const listener of listeners) listener(changed)
    }
  })
  return {
    get changes() {
      return changes
    },
    onAccessChanged: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    [Symbol.dispose]: () => {
      leave()
      listeners.clear()
    },
  }
}

function subjectOf(event: StoredEvent): AccessChanged {
  const { data } = JSON.parse(Buffer.from(event.bytes).toString('utf8')) as { data: Record<string, unknown> }
  return {
    account: typeof data['account'] === 'string' ? data['account'] : undefined,
    key: typeof data['key'] === 'string' ? data['key'] : undefined,
  }
}
