import { limits } from '@hotline/protocol/limits'
import { subprotocol } from '@hotline/protocol/version'
import { toFlags } from './flags.ts'

// How the load process speaks to a server: nothing of it is compiled in, a dialect is data.

/** One step between the upgrade and being live: send a whole message, or wait for one that contains a text. */
export type Step = { send: string } | { expect: string }

export interface Dialect {
  subscribePath: string
  publishPath: string
  /** Whole header lines of the upgrade. */
  headers: readonly string[]
  subscribe: readonly Step[]
  publish: readonly Step[]
  /** Whole messages that are answered with another. */
  replies: readonly { when: string; answer: string }[]
  /** A message that contains one of these ends the run as failed. */
  refusals: readonly string[]
  /** One event, with the hole `{mark}`; the load process puts number and time there and finds it again by its tildes. */
  event: string
  /** One published message, with the hole `{events}`, and maybe `{id}` for a fresh UUIDv7. */
  frame: string
  /** Between the events of one published message. */
  separator: string
  /** Events in one published message, at most. */
  batch: number
  /** Sent by a subscriber after each `ackBytes`, with the hole `{to}`; undefined where nothing is acknowledged. */
  ack: string | undefined
  ackBytes: number
  /** Whether messages carry `"from":` and `"to":`, which must be contiguous. */
  ranges: boolean
}

/** Bytes of one published event, in every dialect. */
export const eventBytes = 300
/** `~q` 10 digits `t` 19 digits `~`. */
const markBytes = 33

/** An event of exactly `eventBytes`: `build` is given the text, which has the hole `{mark}` and padding. */
export function paddedEvent(build: (text: string) => string): string {
  const bare = build('{mark}')
  const padding = eventBytes - (bare.length - '{mark}'.length + markBytes)
  if (padding < 0) throw new RangeError(`an event of ${eventBytes} bytes has no room for this envelope`)
  return build(`{mark}${'x'.repeat(padding)}`)
}

/** The peers on bare WebSocket: a published text message reaches everybody else. `seq` has ten digits for the server. */
export const rawDialect: Dialect = {
  subscribePath: '/sub',
  publishPath: '/pub',
  headers: [],
  subscribe: [],
  publish: [],
  replies: [],
  refusals: [],
  event: paddedEvent((text) => JSON.stringify({ seq: 1_000_000_000, type: 'output.appended', text })),
  frame: '{events}',
  separator: '',
  batch: 1,
  ack: undefined,
  ackBytes: 0,
  ranges: false,
}

/** Engine.IO 4 over WebSocket alone, Socket.IO's default namespace, one event name each way. */
export const socketIoDialect: Dialect = {
  ...rawDialect,
  subscribePath: '/socket.io/?EIO=4&transport=websocket&role=sub',
  publishPath: '/socket.io/?EIO=4&transport=websocket&role=pub',
  subscribe: [{ expect: '0{' }, { send: '40' }, { expect: '40{' }],
  publish: [{ expect: '0{' }, { send: '40' }, { expect: '40{' }],
  replies: [{ when: '2', answer: '3' }],
  refusals: ['44{'],
  frame: '42["publish",{events}]',
}

function hello(token: string): Step {
  return { send: JSON.stringify({ t: 'hello', token, client: 'bench' }) }
}

/** `hotline.v1`: a token in the first frame, a follow from the beginning, and reports of a runner as what is published. */
export function hotlineDialect(session: {
  followerToken: string
  runnerToken: string
  stream: string
  fence: number
  /** Events in one report. */
  batch: number
}): Dialect {
  const { stream, fence } = session
  const command = JSON.stringify({
    t: 'command',
    id: '{id}',
    stream,
    type: 'agent.report',
    data: { fence, events: '#' },
  })
  return {
    subscribePath: '/api/ws',
    publishPath: '/api/ws',
    headers: [`Sec-WebSocket-Protocol: ${subprotocol}`],
    subscribe: [
      hello(session.followerToken),
      { expect: '"t":"welcome"' },
      { send: JSON.stringify({ t: 'follow', stream, after: '0' }) },
      { expect: '"t":"caught_up"' },
    ],
    publish: [hello(session.runnerToken), { expect: '"t":"welcome"' }],
    replies: [],
    refusals: ['refused', 'problem', 'reset', 'unfollowed', 'goodbye'].map((name) => `"t":"${name}"`),
    event: paddedEvent((text) =>
      JSON.stringify({
        type: 'output.appended',
        data: { source: 'stdout', encoding: 'utf8', bytes: eventBytes },
        body: { text },
      }),
    ),
    frame: command.replace('"#"', '[{events}]'),
    separator: ',',
    batch: session.batch,
    ack: JSON.stringify({ t: 'ack', stream, seq: '#' }).replace('"#"', '{to}'),
    // Acks cost frames, of which a connection has a limited number a second.
    ackBytes: limits.unacknowledgedBytes / 2,
    ranges: true,
  }
}

/** The dialect as flags of the load process. */
export function dialectArguments(dialect: Dialect): string[] {
  const steps = (role: 'subscribe' | 'publish'): string[] =>
    dialect[role].flatMap((step) =>
      'send' in step ? [`--${role}-send`, step.send] : [`--${role}-expect`, step.expect],
    )
  return [
    ...toFlags({ 'subscribe-path': dialect.subscribePath, 'publish-path': dialect.publishPath }),
    ...dialect.headers.flatMap((header) => ['--header', header]),
    ...steps('subscribe'),
    ...steps('publish'),
    ...dialect.replies.flatMap(({ when, answer }) => ['--reply', `${when}=${answer}`]),
    ...dialect.refusals.flatMap((refusal) => ['--refusal', refusal]),
    ...toFlags({ event: dialect.event, frame: dialect.frame, separator: dialect.separator }),
    ...toFlags({ batch: dialect.batch, ack: dialect.ack, 'ack-bytes': dialect.ackBytes }),
    ...(dialect.ranges ? ['--ranges'] : []),
  ]
}
