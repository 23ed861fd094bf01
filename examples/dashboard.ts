/**
 * All sessions in a terminal, live: what needs somebody first. It comes back by itself after the server or the network was
 * away, and says so meanwhile.
 *
 *     HOTLINE_TOKEN=… npx node examples/dashboard.ts
 */
import { stripVTControlCharacters } from 'node:util'
import { openLink } from '@hotline/client/open-link'
import { openSessionList } from '@hotline/client/session-list'
import { queueWords } from '@hotline/client/queue-words'

const { HOTLINE_URL: url = 'http://localhost:4680', HOTLINE_TOKEN: token = '' } = process.env
const link = openLink({ url, credential: { kind: 'token', token }, client: 'dashboard' })
const list = openSessionList(link)

function draw(): void {
  const { sessions, doing, queue } = list.picture.value
  const rows = sessions
    .filter(({ status }) => !['completed', 'failed', 'aborted'].includes(status))
    .toSorted((a, b) => b.openApprovals.length - a.openApprovals.length)
    .map(({ session, title, agent, status, turn, openApprovals }) => {
      const place = queue.get(session)
      const asks = openApprovals.length > 0 ? `NEEDS YOU (${openApprovals.length})` : undefined
      const what = asks ?? doing.get(session)?.step?.object ?? (place && queueWords(place)) ?? `${status}, ${turn}`
      return [session.slice(0, 8), agent.padEnd(12), oneLine(title, 40).padEnd(40), oneLine(what, 60)].join('  ')
    })
  const contact = link.connection.value.status === 'open' ? 'connected' : 'OUT OF CONTACT'
  const head = `Hotline at ${url}: ${contact}, ${rows.length} sessions`
  // To the upper left corner, and everything below is cleared.
  process.stdout.write(`${process.stdout.isTTY ? '\u001b[H\u001b[J' : ''}${[head, ...rows].join('\n')}\n`)
}

/** What an agent wrote never steers the terminal. */
function oneLine(text: string, chars: number): string {
  return stripVTControlCharacters(text)
    .replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
    .slice(0, chars)
}

list.picture.watch(draw)
link.connection.watch(draw)
draw()
process.once('SIGINT', () => void link[Symbol.asyncDispose]().then(() => process.exit(0)))
