// A client whose outbox is a file: gives command after command until it is killed. Its next life finds the file and goes on.
// Started by rows/client-dies.ts with one argument in JSON; says "given" for each command that was kept.
import { writeSync } from 'node:fs'
import { openLink } from '@hotline/client/open-link'
import { waitFor } from '@hotline/testing/wait-for'
import { openFileOutbox } from '../file-outbox.ts'

/** What this life has to do. */
export interface OutboxOrder {
  url: string
  token: string
  stream: string
  outbox: string
  life: number
  /** Commands of this life; with 0 it only delivers what earlier lives left. */
  commands: number
}

/** The last life has this long to deliver everything. */
const deliverDeadlineMs = 30_000

const order = JSON.parse(process.argv[2] ?? '') as OutboxOrder
const link = openLink({
  url: order.url,
  credential: { kind: 'token', token: order.token },
  outbox: openFileOutbox(order.outbox),
  random: () => 0,
})
for (let turn = 0; turn < order.commands; turn += 1) {
  void link.command(order.stream, 'message.send', { text: `${order.life}.${turn}` })
  writeSync(1, `given ${turn}\n`)
  if (turn % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
}
if (order.commands === 0) {
  await waitFor(() => link.connection.value.status === 'open', { what: 'the server', deadlineMs: deliverDeadlineMs })
  await waitFor(() => link.outbox.value.length === 0, { what: 'all answers', deadlineMs: deliverDeadlineMs })
  await link[Symbol.asyncDispose]()
  writeSync(1, 'delivered\n')
}
