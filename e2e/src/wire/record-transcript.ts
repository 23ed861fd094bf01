// `npm run transcript`: records what client and server of this version say to each other, for the versions to come.
import { mkdirSync, writeFileSync } from 'node:fs'
import type { WebSocketConstructor } from '@hotline/client/carrier'
import type { CommandOutcome } from '@hotline/client/link'
import { uuidV7 } from '@hotline/client/uuid'
import { takeByHand } from '@hotline/testing/hand-runner'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { startServerProcess } from '../faults/server-process.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { type Frame, type Line, tokenMark, transcriptFolder, type Voice } from './transcript.ts'

/** WebSockets that write down what goes over them. */
function recordingSockets(voice: Voice, lines: Line[]): WebSocketConstructor {
  const note = (from: Line['from'], data: unknown): void => {
    const frame = JSON.parse(String(data)) as Frame
    lines.push({ voice, from, frame: 'token' in frame ? { ...frame, token: tokenMark } : frame })
  }
  return class extends WebSocket {
    constructor(url: URL, protocol: string) {
      super(url, protocol)
      this.addEventListener('message', ({ data }) => note('server', data))
    }
    override send(data: string): void {
      note('client', data)
      super.send(data)
    }
  }
}

/** Everything that a person and a machine commonly say, one thing after the other. */
async function record(dir: string): Promise<{ session: string; lines: Line[] }> {
  const lines: Line[] = []
  await using server = await startServerProcess({ dir })
  const person = server.link('person', { webSocket: recordingSockets('person', lines), transports: ['websocket'] })
  const runner = server.link('runner', { webSocket: recordingSockets('runner', lines), transports: ['websocket'] })
  for (const { connection } of [person, runner]) {
    await waitFor(() => connection.value.status === 'open', { what: 'both to be connected' })
  }
  const session = uuidV7()
  const stream = `session:${session}`
  let seq = 0
  const listen = { events: (events: readonly { seq: number }[]): void => void (seq = events.at(-1)?.seq ?? seq) }
  // Nothing is said before what came of the last thing was heard: what is replayed can wait for it too.
  const quiet = async (): Promise<void> => {
    const stored = await server.stored(session)
    await waitFor(() => seq >= stored.length, { what: 'everything to be heard' })
  }
  const told = async (doing: Promise<CommandOutcome>): Promise<CommandOutcome> => {
    const outcome = await doing
    await quiet()
    return outcome
  }

  await person.command(stream, 'session.start', { project: 'default', agent: 'demo', title: 'From long ago' })
  const follow = person.follow(stream, '0', listen)
  await quiet()
  const hand = await takeByHand(session, runner)
  await quiet()
  await told(person.command(stream, 'message.send', { text: 'Are you there?' }))
  const turn = uuidV7()
  await told(hand.report({ type: 'turn.started', data: { turn } }))
  const bytes = 'a line of output\n'
  await told(
    hand.report({
      type: 'output.appended',
      data: { source: 'stdout', encoding: 'utf8', bytes: bytes.length },
      body: { text: bytes },
    }),
  )
  const { approval, digest } = await hand.ask({ tool: 'run', title: 'Run ls', input: 'ls' })
  await quiet()
  await told(person.command(stream, 'approval.decide', { approval, digest, verdict: 'allow' }))
  const question = uuidV7()
  await told(hand.report({ type: 'question.asked', data: { question }, body: { text: 'Which?' } }))
  await told(person.command(stream, 'question.answer', { question, action: 'decline' }))
  await told(person.command(stream, 'session.rename', { title: 'Renamed' }))
  await told(person.command(stream, 'message.withdraw', { message: uuidV7() }))
  person.typing(stream)
  const ended: string[] = []
  person.follow('session:none', '0', { events: () => undefined, ended: ({ code }) => void ended.push(code) })
  await waitFor(() => ended.length === 1, { what: 'the refusal' })
  await told(
    hand.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'completed', reason: 'agent_exited' },
      body: {},
    }),
  )
  follow.close()
  const resets: string[] = []
  person.follow(stream, 'zzzzzzzz.1', { events: () => undefined, reset: (head) => void resets.push(head) })
  await waitFor(() => resets.length === 1, { what: 'the reset' })
  person.wake()
  await waitFor(() => lines.at(-1)?.frame.t === 'pong', { what: 'a pong' })
  return { session, lines: [...lines] }
}

await using dir = await openTempDir('hotline-transcript-')
const { version } = packageJson
const transcript = { version, ...(await record(dir.path)) }
mkdirSync(transcriptFolder, { recursive: true })
const file = new URL(`${version}.json`, transcriptFolder)
// Once: what people have is not recorded anew.
writeFileSync(file, `${JSON.stringify(transcript, undefined, 2)}\n`, { flag: 'wx' })
console.log(`${transcript.lines.length} frames in ${file.pathname}`)
