import type { Card, Channel, Delivered, Withdrawal } from '@hotline/server/channels/channel'

/** What a channel's other side was told. */
export interface Told {
  key: string
  what: 'show' | 'withdraw'
  requestId: string
  words?: string
}

/** What its other side does with the next tries; the last of them goes on. */
export type Mood = 'takes' | 'is away' | 'refuses' | 'is silent'

/** A channel whose other side is a list. */
export interface FakeChannel extends Channel {
  readonly told: Told[]
  /** Tries, whatever became of them. */
  readonly tries: number
  mood: Mood
}

export function openFakeChannel(name = 'fake:one'): FakeChannel {
  const told: Told[] = []
  let tries = 0
  const fake: FakeChannel = {
    name,
    target: 'memory',
    told,
    mood: 'takes',
    get tries() {
      return tries
    },
    deliver: ({ key, request }: Card, signal) => tell({ key, what: 'show', requestId: request.id }, signal),
    withdraw: ({ key, ending, words }: Withdrawal, signal) =>
      tell({ key, what: 'withdraw', requestId: ending.requestId, words }, signal),
  }
  async function tell(one: Told, signal: AbortSignal): Promise<Delivered> {
    tries += 1
    switch (fake.mood) {
      case 'takes':
        // Whoever is told twice knows it by its key.
        if (!told.some(({ key }) => key === one.key)) told.push(one)
        return 'taken'
      case 'is away':
        return { failed: 'for now', why: 'it is away' }
      case 'refuses':
        return { failed: 'for good', why: 'it does not take this' }
      case 'is silent':
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve()
          else signal.addEventListener('abort', () => resolve(), { once: true })
        })
        return { failed: 'for now', why: 'it was given up' }
    }
  }
  return fake
}
