import { isDeepStrictEqual } from 'node:util'
import { openLink } from '@hotline/client/open-link'
import { evolveSession } from '@hotline/core/session/evolve'
import type { SessionState } from '@hotline/core/session/state'
import type { Envelope } from '@hotline/protocol/event'
import { Problem } from '@hotline/protocol/problem'
import { requestUpgrade } from '@hotline/testing/raw-websocket'
import { waitFor } from '@hotline/testing/wait-for'
import { startForeignServer, startOldServer } from '../../wire/old-server.ts'
import { replayTranscript } from '../../wire/replay-transcript.ts'
import { readTranscripts, type Transcript } from '../../wire/transcript.ts'
import { type Done, expectNothing, type FaultRow, type Ground } from '../fault-row.ts'
import { startServerProcess } from '../server-process.ts'

const deadlineMs = 30_000

/** Row 27: what was recorded of every version is said to today's server, and today's client talks with the servers of then. */
export const oldAndNew: FaultRow = {
  row: 27,
  name: 'old clients with the new server, and the new client with old servers',
  stores: ['sqlite'],
  run: async ({ dir }: Ground): Promise<Done> => {
    const transcripts = readTranscripts()
    const violations: string[] = []
    const counts = { versions: transcripts.length, frames: 0, 'old servers': 0, refusals: 0 }
    for (const transcript of transcripts) {
      await using server = await startServerProcess({ dir: `${dir}/${transcript.version}` })
      violations.push(...(await replayTranscript(server, transcript)))
      counts.frames += transcript.lines.length
      for (const kind of ['as it was', 'strange'] as const) {
        violations.push(...(await talkTo(transcript, kind)))
        counts['old servers'] += 1
      }
      violations.push(...(await offerAnother(server.port)))
      counts.refusals += 2
    }
    expectNothing(violations)
    return { counts }
  },
}

/** Today's client follows, commands and pings as it always does. */
async function talkTo(transcript: Transcript, kind: 'as it was' | 'strange'): Promise<string[]> {
  const name = `the server of ${transcript.version}, ${kind}`
  await using server = await startOldServer(transcript, kind)
  const { stream } = server
  const link = openLink({ url: server.url, credential: { kind: 'token', token: 'any' }, transports: ['websocket'] })
  try {
    const events: Envelope[] = []
    const ended: string[] = []
    link.follow(stream, '0', {
      events: (more) => void events.push(...more),
      ended: ({ code }) => void ended.push(code),
    })
    link.follow('session:none', '0', { events: () => undefined, ended: ({ code }) => void ended.push(code) })
    await waitFor(() => events.length > 0 && ended.length > 0, { what: `${name} to tell something`, deadlineMs })
    const lost: string[] = []
    link.connection.watch(({ status }) => void lost.push(status))
    const sent = await link.command(stream, 'message.send', { text: 'from today' })
    const refused = await link.command(stream, 'message.withdraw', { message: '0199a3c0-0000-7000-8000-000000000001' })
    await waitFor(() => events.length >= server.events.length, { what: `${name} to tell everything`, deadlineMs })
    link.wake()
    await waitFor(() => server.heard.some(({ t }) => t === 'ping'), { what: `a ping to ${name}`, deadlineMs })
    let state: SessionState | undefined
    for (const event of events) state = evolveSession(state, event)
    const told = (what: string, isTrue: boolean): string[] => (isTrue ? [] : [`${name}: ${what}`])
    return [
      ...told('the events are others', isDeepStrictEqual(events, server.events)),
      ...told(`follows ended with ${ended.join()}`, ended.join() === 'not_found'),
      ...told(`the connection was ${lost.join()}`, lost.length === 0),
      ...told('what was accepted was refused', sent.ok),
      ...told('what was refused was accepted', !refused.ok && refused.problem.code === 'not_queued'),
      ...told(
        `its state is ${state?.status} and ${state?.title}`,
        state?.status === 'completed' && state.title === 'Renamed',
      ),
    ]
  } finally {
    await link[Symbol.asyncDispose]()
  }
}

/** A version that is not spoken is refused, by the server and to the client, with what there is to do. */
async function offerAnother(port: number): Promise<string[]> {
  const headers = [['Host', `localhost:${port}`]] as const
  const outcome = await requestUpgrade({ port, path: '/api/ws', protocols: ['hotline.v9'], headers })
  if (outcome.kind === 'open') {
    await outcome.socket[Symbol.asyncDispose]()
    return ['a version that is not spoken was let in']
  }
  const refusal = Problem.safeParse(JSON.parse(outcome.response.body.toString('utf8')))
  if (
    refusal.data?.code !== 'version_not_spoken' ||
    !/hotline\.v1/.test(refusal.data.detail) ||
    !/update/i.test(refusal.data.detail)
  ) {
    return [`a version that is not spoken was refused with ${outcome.response.status} ${JSON.stringify(refusal.data)}`]
  }
  // The same words as another server would say them to a client of today, which cannot read them on a WebSocket.
  await using foreign = await startForeignServer(refusal.data)
  const link = openLink({ url: foreign.url, credential: { kind: 'token', token: 'any' } })
  try {
    const { value } = await waitFor(() => link.connection.value.status === 'closed' && link.connection, {
      what: 'the client to give up',
      deadlineMs,
    })
    const said = value.status === 'closed' ? value.problem?.detail : undefined
    return said === refusal.data.detail ? [] : [`the client gave up with ${JSON.stringify(value)}`]
  } finally {
    await link[Symbol.asyncDispose]()
  }
}
