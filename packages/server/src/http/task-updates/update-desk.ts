import type { Principal } from '../../access/principal.ts'
import type { Lists } from '../../log/lists.ts'
import type { LogStore } from '../../log/log-store.ts'
import type { SessionQueue } from '../../scheduler/session-queue.ts'
import type { Exchange } from '../../session/exchange.ts'
import { type FoundTask, findTask } from '../../session/find-task.ts'

/** What the updates of tasks share. */
export interface UpdateDesk {
  find: (principal: Principal, task: string) => Promise<FoundTask | undefined>
  store: LogStore
  watchQueue: SessionQueue['watch']
}

/** Puts together what the updates of tasks need of the server. */
export function openUpdateDesk(ports: {
  exchange: Exchange
  lists: Lists
  store: LogStore
  queue: Pick<SessionQueue, 'watch'>
}): UpdateDesk {
  return {
    find: (principal, task) => findTask(ports, principal, task),
    store: ports.store,
    watchQueue: (project, hear) => ports.queue.watch(project, hear),
  }
}
