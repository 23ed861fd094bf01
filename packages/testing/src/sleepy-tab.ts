import { type Clock, systemClock } from '@hotline/client/clock'
import type { OpenChannel } from '@hotline/client/tabs/tab-channels'

/** A tab of a browser that can be put to sleep: its timers wait, and what others say to it waits unread. */
export interface SleepyTab {
  readonly clock: Clock
  readonly openChannel: OpenChannel
  /** As a browser freezes a page without a word, or a page that hangs. */
  freeze(): void
  thaw(): void
}

/** Channels are the runtime's own; only the tab is a play. Waits of whole seconds are so many times shorter. */
export function openSleepyTab(hurry = 1): SleepyTab {
  let frozen = false
  const held: (() => void)[] = []
  const whenAwake = (act: () => void): void => {
    if (frozen) held.push(act)
    else act()
  }
  return {
    clock: {
      wallMs: () => systemClock.wallMs(),
      after: (delayMs, call) => {
        let cancelled = false
        const waitMs = delayMs >= 1_000 ? delayMs / hurry : delayMs
        const cancel = systemClock.after(waitMs, () => whenAwake(() => cancelled || call()))
        return () => {
          cancelled = true
          cancel()
        }
      },
    },
    openChannel: (name) => {
      const channel = new BroadcastChannel(name)
      const ears: ((event: { data: unknown }) => void)[] = []
      channel.addEventListener('message', (event) => {
        whenAwake(() => {
          for (const ear of ears) ear(event as MessageEvent)
        })
      })
      return {
        addEventListener: (_type, ear) => void ears.push(ear),
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel is of one origin
        postMessage: (message: unknown) => whenAwake(() => channel.postMessage(message)),
        close: () => whenAwake(() => channel.close()),
      }
    },
    freeze: () => {
      frozen = true
    },
    thaw: () => {
      // What one of them leads to comes after the others, as it would in a page.
      for (let act = held.shift(); act; act = held.shift()) act()
      frozen = false
    },
  }
}
