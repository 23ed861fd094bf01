import { type Transport, transports } from './carrier.ts'

/** What served last is not tried first for ever: networks change. */
const rememberedMs = 10 * 60 * 1_000
const key = 'hotline.transport'

/** The transport that served last, so that the next connection does not try in vain again. */
export interface TransportMemory {
  recall(): Transport | undefined
  remember(transport: Transport): void
}

/** For the life of one link. */
export function openTransportMemory(): TransportMemory {
  let last: Transport | undefined
  return {
    recall: () => last,
    remember: (transport) => {
      last = transport
    },
  }
}

/** The part of a browser that tells one network from another; few have it. */
interface Networked {
  navigator?: { connection?: { type?: string } }
}

/** Outlives the page: for ten minutes, and for the kind of network where the browser tells it. */
export function openStoredTransportMemory(storage: Pick<Storage, 'getItem' | 'setItem'>): TransportMemory {
  const network = (): string => (globalThis as unknown as Networked).navigator?.connection?.type ?? ''
  return {
    recall: () => {
      const [transport, at, where] = storage.getItem(key)?.split(' ') ?? []
      const isFresh = Date.now() - Number(at) < rememberedMs && where === network()
      return isFresh ? transports.find((known) => known === transport) : undefined
    },
    remember: (transport) => {
      try {
        storage.setItem(key, `${transport} ${Date.now()} ${network()}`)
      } catch {
        // A full or forbidden storage: the next page finds it out again.
      }
    },
  }
}
