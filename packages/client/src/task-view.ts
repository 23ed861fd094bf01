import type { Problem } from '@hotline/protocol/error'
import type { TaskDetail } from '@hotline/protocol/task'
import type { Follow, Link, Readable } from './link.ts'
import { watchable } from './readable.ts'
import { isPassing, openRetry } from './retry.ts'

/** One card as it stands now. `failed`: it cannot be shown, for the reason in `problem`. */
export interface TaskPicture {
  status: 'loading' | 'live' | 'failed'
  problem?: Problem
  detail?: TaskDetail
}

/** One card with its description, live. */
export interface TaskView extends Disposable {
  readonly picture: Readable<TaskPicture>
}

/** Reads the card, and reads it again whenever its stream says more. */
export function openTaskView(link: Link, task: string): TaskView {
  const picture = watchable<TaskPicture>({ status: 'loading' })
  const retry = openRetry(link, () => void read())
  let follow: Follow | undefined
  let closed = false
  let reading = {}

  async function read(): Promise<void> {
    const mine = {}
    reading = mine
    const answer = await link.request<TaskDetail>('GET', `/api/tasks/${task}`)
    if (closed || reading !== mine) return
    if (!answer.ok) return failed(answer.problem)
    retry.succeeded()
    picture.set({ status: 'live', detail: answer.value })
    follow ??= link.follow(answer.value.stream, answer.value.cursor, {
      events: () => void read(),
      reset: () => {
        follow = undefined
        void read()
      },
      ended: failed,
    })
  }

  function failed(problem: Problem): void {
    if (closed) return
    if (!isPassing(problem)) return picture.set({ status: 'failed', problem })
    picture.set({ ...picture.value, problem })
    retry.after(problem)
  }

  void read()
  return {
    picture,
    [Symbol.dispose]: () => {
      closed = true
      retry[Symbol.dispose]()
      follow?.close()
    },
  }
}
