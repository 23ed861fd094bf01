import type { TabPort } from './hub.ts'
import { type ToAll, type ToLeader, type ToTab, wordsVersion } from './messages.ts'

/** The part of a browser's `BroadcastChannel` that is used here. */
export interface Channel {
  postMessage(message: unknown): void
  addEventListener(type: 'message', hear: (event: { data: unknown }) => void): void
  close(): void
}

/** Makes a channel of the browser; tests bring their own. */
export type OpenChannel = (name: string) => Channel

/** The name of everything that the tabs of one account and server share. Others never meet. */
export function sharedName(server: string, account: string): string {
  return `hotline ${wordsVersion} ${new URL(server).origin} ${account}`
}

/** The channel that all tabs hear. */
export interface CommonChannel {
  post(message: ToAll): void
  close(): void
}

export function openCommonChannel(open: OpenChannel, name: string, hear: (message: ToAll) => void): CommonChannel {
  const channel = open(name)
  channel.addEventListener('message', ({ data }) => hear(data as ToAll))
  return { post: (message) => send(channel, message), close: () => channel.close() }
}

/** The tab's end of the channel between it and whoever leads. */
export function openOwnChannel(
  open: OpenChannel,
  name: string,
  tab: string,
  hear: (message: ToTab) => void,
): { post: (message: ToLeader) => void; close: () => void } {
  const channel = open(`${name} ${tab}`)
  channel.addEventListener('message', ({ data }) => {
    const { toTab } = data as { toTab?: ToTab }
    if (toTab) hear(toTab)
  })
  return { post: (toLeader) => send(channel, { toLeader }), close: () => channel.close() }
}

/** The leader's end of the channel between it and one tab. */
export function openTabPort(open: OpenChannel, name: string, tab: string, hear: (message: ToLeader) => void): TabPort {
  const channel = open(`${name} ${tab}`)
  channel.addEventListener('message', ({ data }) => {
    const { toLeader } = data as { toLeader?: ToLeader }
    if (toLeader) hear(toLeader)
  })
  return { direct: false, post: (toTab) => send(channel, { toTab }), close: () => channel.close() }
}

/** Between the leader and its own tab, which are one page: messages pass as they are, after the present turn. */
export function openDirectPort(hear: (message: ToTab) => void): TabPort {
  let closed = false
  return {
    direct: true,
    post: (message) => queueMicrotask(() => closed || hear(message)),
    close: () => queueMicrotask(() => (closed = true)),
  }
}

function send(channel: Channel, message: unknown): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel is of one origin
  channel.postMessage(message)
}
