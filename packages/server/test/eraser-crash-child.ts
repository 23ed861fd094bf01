// Erases a session with many words, or its output when its days are over, and dies in the middle of it: `eraser-crash.test.ts`.
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { openFileBlobStore } from '../src/blob/file-blob-store.ts'
import { Feeds } from '../src/feed/feeds.ts'
import { openDatabase } from '../src/log/open-database.ts'
import { systemClock } from '../src/machine/clock.ts'
import { systemIds } from '../src/machine/ids.ts'
import { Eraser } from '../src/scheduler/eraser.ts'
import { keepOutputFor } from '../src/scheduler/retention.ts'
import { Attachments } from '../src/session/attachments.ts'
import { begin, dana, liveOn, stream } from './exchange-life.ts'

const [dir = '', what = 'session'] = process.argv.slice(2)
const ids = systemIds(() => systemClock.wallMs())
const database = await openDatabase({ kind: 'sqlite', dir }, { clock: systemClock, ids })
const { store, lists } = database
const life = liveOn({ ...database, reopen: fail, sql: fail, moveEvent: fail })
const hand = await begin([life])
await life.send(dana, stream, 'message.send', { text: 'a question that stays' })
for (let at = 0; at < 20; at += 1) {
  const lines = Array.from({ length: 50 }, (_, line) => ({
    type: 'output.appended' as const,
    data: { source: 'stdout', encoding: 'utf8', bytes: 6 },
    body: { text: `secret ${at} ${line}\n` },
  }))
  await hand.report(...lines)
}
await life.send(dana, stream, 'session.complete', {})
await hand.report({
  type: 'session.state_changed',
  data: { from: 'active', to: 'completed', reason: 'goal_reached' },
  body: {},
})
const blobs = await openFileBlobStore(join(dir, 'blobs'))
const feeds = new Feeds(store, life.bus)
const files = await openFileBlobStore(join(dir, 'attachments'))
const attachments = new Attachments({ blobs: files, store, lists, clock: systemClock, fault: console.error })
const eraser = new Eraser({
  store,
  lists,
  blobs,
  attachments,
  feeds,
  clock: systemClock,
  bus: life.bus,
  fault: console.error,
})

const file = new DatabaseSync(join(dir, 'hotline.db'), { readOnly: true })
const output = what === 'output' ? ` AND type = 'output.appended'` : ''
const left = file.prepare(`SELECT count(*) AS n FROM events WHERE body IS NOT NULL${output}`)
const count = (): number => Number(left.get()?.['n'])
const before = count()
if (what === 'output') {
  life.pass(31 * 24 * 60 * 60_000)
  keepOutputFor({
    exchange: life.exchange,
    lists,
    store,
    clock: { ...systemClock, wallMs: () => life.nowMs() },
    ids,
    fault: console.error,
    erased: (of) => eraser.erased(of),
    days: 30,
  })
} else {
  const outcome = await life.send(dana, stream, 'session.erase', {})
  console.log(JSON.stringify(outcome))
  void eraser.erased(stream)
}
look()

/** Each turn of the event loop erases no more than one chunk. */
function look(): void {
  const now = count()
  if (now > 0 && now < before) {
    console.log(`left ${now} of ${before}`)
    process.kill(process.pid, 'SIGKILL')
  }
  setImmediate(look)
}

function fail(): never {
  throw new Error('not in a child')
}
