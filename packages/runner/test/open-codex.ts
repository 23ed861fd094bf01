import { waitFor } from '@hotline/testing/wait-for'
import { type Bench, openBench } from './bench.ts'
import type { FakeCodexOptions, FakeStep } from './fake-codex.ts'
import { codexProfileOf } from './profile-of.ts'
import type { World } from './world.ts'

/** A prompt that plays these. */
const play = (...steps: FakeStep[]): string => JSON.stringify(steps)
/** A command that is asked for, unless said otherwise. */
export const command = (item: string, more: Partial<Extract<FakeStep, { do: 'command' }>> = {}): FakeStep => ({
  do: 'command',
  item,
  command: `touch ${item}`,
  ask: {},
  ...more,
})

/** A session of an app-server, and what a test waits for in it. */
export interface OpenCodex extends AsyncDisposable {
  readonly bench: Bench
  readonly world: World
  readonly session: string
  send(...steps: FakeStep[]): string
  /** So many requests were made. */
  asks(count: number): Promise<unknown>
  /** So many turns are over. */
  turns(count: number): Promise<unknown>
  until(status: string): Promise<unknown>
  /** What was said of the last change of state. */
  note(): string | undefined
}

/** A session of an app-server that plays what its prompts say. */
export async function openCodex(options: FakeCodexOptions = {}, more = {}): Promise<OpenCodex> {
  const bench = await openBench({ profiles: [codexProfileOf('codex', options)] })
  const { world } = bench
  const session = world.start('codex', { cwd: bench.cwd, ...more })
  return {
    bench,
    world,
    session,
    send: (...steps: FakeStep[]): string => world.send(session, 'message.send', { text: play(...steps) }),
    asks: (count: number): Promise<unknown> =>
      waitFor(() => world.events(session, 'approval.requested').length === count, { what: `${count} asks` }),
    turns: (count: number): Promise<unknown> =>
      world.until(session, `${count} turns`, ({ counts, turn }) => counts.turns === count && !turn),
    until: (status: string): Promise<unknown> => world.until(session, status, (state) => state.status === status),
    note: (): string | undefined => world.events(session, 'session.state_changed').at(-1)?.body?.note,
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
  }
}
