import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { buildFrame, opcodes } from '@hotline/testing/websocket-frame'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enterRaw, heard } from '@hotline/testing/raw-conversation'

/**
 * What the client of a version said, letter by letter, and what it reads of each answer. A version that was given to
 * people stays here as it was: `<session>` and `<n>` alone are filled in.
 */
const versions: {
  version: string
  says: readonly { line: string; answer: string; reads: readonly string[] }[]
}[] = [
  {
    version: '0.1.0',
    says: [
      {
        line: '{"t":"follow","stream":"session:<session>","after":"0"}',
        answer: 'events',
        reads: ['stream', 'epoch', 'from', 'to', 'events'],
      },
      {
        line: '{"t":"ack","stream":"session:<session>","seq":1}',
        answer: 'caught_up',
        reads: ['stream', 'epoch', 'seq'],
      },
      {
        line: '{"t":"command","id":"0199a3c0-0000-7000-8000-00000000<n>01","stream":"session:<session>","type":"message.send","data":{"text":"from long ago"}}',
        answer: 'accepted',
        reads: ['id', 'seq', 'cursor'],
      },
      {
        line: '{"t":"command","id":"0199a3c0-0000-7000-8000-00000000<n>02","stream":"session:<session>","type":"message.send","data":{"text":" "}}',
        answer: 'refused',
        reads: ['id', 'problem'],
      },
      { line: '{"t":"typing","stream":"session:<session>"}', answer: '', reads: [] },
      {
        line: '{"t":"follow","stream":"session:<session>","after":"another1.1"}',
        answer: 'reset',
        reads: ['epoch', 'head', 'reason'],
      },
      { line: '{"t":"unfollow","stream":"session:<session>"}', answer: '', reads: [] },
      {
        line: '{"t":"follow","stream":"session:none","after":"now"}',
        answer: 'unfollowed',
        reads: ['stream', 'problem'],
      },
      { line: '{"t":"ping"}', answer: 'pong', reads: [] },
    ],
  },
]

/** Of an event, what every version reads. */
const ofEvent = ['v', 'stream', 'seq', 'at', 'type', 'actor', 'data', 'hash']

describe.each(versions)('a client of version $version', ({ says }) => {
  let live: LiveServer
  beforeAll(async () => {
    live = await startLiveServer()
  })
  afterAll(() => live[Symbol.asyncDispose]())

  it('[V1] [E3] finds in each answer all that it reads', async () => {
    const hand = await live.startSession()
    await using socket = await enterRaw(Number(new URL(live.url).port), live.token)
    for (const { line, answer, reads } of says) {
      const payload = line.replaceAll('<session>', hand.session).replaceAll('<n>', '00')
      await socket.sendBytes(buildFrame({ opcode: opcodes.text, payload }))
      if (answer === '') continue
      const frame = await heard(socket, ({ t }) => t === answer || t === 'problem')
      expect(frame.t, payload).toBe(answer)
      expect(Object.keys(frame), payload).toEqual(expect.arrayContaining([...reads]))
      for (const event of (frame['events'] ?? []) as object[]) {
        expect(Object.keys(event)).toEqual(expect.arrayContaining(ofEvent))
      }
    }
  })
})
