import { parentPort, workerData } from 'node:worker_threads'
import { Skipped } from './bounds.ts'
import { NoSuchPlace, TaskDoer } from './do-task.ts'
import type { Answer, Question } from './tasks.ts'

/** Looking through folders and reading files takes its time: it is done here, so that agents never wait for it. */
const doer = new TaskDoer(Number(workerData))

async function answer({ id, place, task }: Question): Promise<Answer> {
  try {
    return { id, ok: true, outcome: await doer.do(place, task) }
  } catch (error) {
    const note = error instanceof Error ? error.message : String(error)
    if (error instanceof Skipped) return { id, ok: false, why: 'skipped', code: error.why, note }
    if (error instanceof NoSuchPlace) return { id, ok: false, why: 'nowhere', code: 'nowhere', note }
    return { id, ok: false, why: 'failed', code: 'failed', note }
  }
}

parentPort?.on('message', (question: Question) => {
  void answer(question).then((told) => parentPort?.postMessage(told, []))
})
