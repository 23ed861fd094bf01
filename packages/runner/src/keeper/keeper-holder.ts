import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Holder, Reaped } from '../process/holder.ts'
import type { Attachment, Keeping, KeepTerms, Lasting, Survivor } from '../process/lasting.ts'
import { type HolderReach, openLocalHolder } from '../process/local-holder.ts'
import { type KeptFacts, keeperVersion, readInputs } from './frames.ts'
import { connectKeeper, endKeeper, type KeeperLink, killSilentKeeper, startKeeper } from './keeper-link.ts'
import { KeptProcess } from './kept-process.ts'
import { keepersFolder, keptChildrenFolder, keptFolder } from './places.ts'
import { RawReader } from './raw-spool.ts'

/** What of our environment a keeper gets: enough to find programs, and nothing that an agent is trusted with. */
const keeperVariables = ['PATH', 'HOME', 'TMPDIR', 'LANG']

/** A keeper that this process works with. */
interface Known {
  readonly folder: string
  readonly link: KeeperLink
  /** Resolves when it is gone and nothing is left of what it held. */
  readonly lost: Promise<void>
}

/** A found process, and who has it. */
interface Found {
  readonly keeper: Known
  readonly facts: KeptFacts
}

/**
 * Holds processes by a keeper, which outlives this process; what needs no other life than ours is held here. One keeper for
 * a runner's folder: it is started when the first process is to be kept, and ends when it is told to, or has nothing to keep.
 * Where none can be started, processes are held here, and that is told.
 */
export function openKeeperHolder(options: {
  /** Of the runner. */
  folder: string
  /** `nothing`: processes end with this one, and so do keepers that an earlier life has left. */
  keeps?: 'agents' | 'nothing' | undefined
  environment: Readonly<Record<string, string | undefined>>
  reach?: HolderReach | undefined
  /** What is worth telling the person who reads the log. */
  warn: (message: string, facts: Record<string, unknown>) => void
}): Holder {
  const { folder: runnerFolder, environment, warn, reach = 'best', keeps = 'agents' } = options
  const folder = keepersFolder(runnerFolder)
  const local = openLocalHolder({ folder: join(runnerFolder, 'children'), reach })
  const found = new Map<string, Found>()
  const known = new Set<Known>()
  let current: Promise<Known> | undefined
  let isClosing = false

  const env: Record<string, string> = {}
  for (const name of keeperVariables) {
    const value = environment[name]
    if (value !== undefined) env[name] = value
  }

  const adopt = (place: string, link: KeeperLink): Known => {
    const keeper: Known = { folder: place, link, lost: link.closed.then((): Promise<void> => lose(keeper)) }
    known.add(keeper)
    return keeper
  }

  /** It is gone: what it held has lost its pipes, and is ended. */
  const lose = async (keeper: Known): Promise<void> => {
    known.delete(keeper)
    if ((await current?.catch(() => undefined)) === keeper) current = undefined
    if (isClosing) return
    // One that cannot be talked to any more, and lives, is of no use.
    const again = await connectKeeper(keeper.folder).catch(() => killSilentKeeper(keeper.folder))
    if (again) await again.request({ do: 'quit' }).catch(() => 'it is gone')
    for (const reaped of await reapOf(keeper.folder))
      warn('an agent was ended, because its keeper is gone', { ...reaped })
  }

  const begin = async (): Promise<Known> => {
    const place = join(folder, randomBytes(4).toString('hex'))
    return adopt(place, await startKeeper(place, env, reach))
  }

  /** One that does not answer is left alone with what it holds, unless all of that is to end. Throws `KeeperSilent`. */
  const connectFor = async (place: string): Promise<KeeperLink | undefined> => {
    try {
      return await connectKeeper(place)
    } catch (error) {
      if (keeps === 'nothing') {
        warn('a keeper that does not answer is ended, with its agents', { why: String(error) })
        killSilentKeeper(place)
        return undefined
      }
      isClosing = true
      for (const { link } of known) link.close()
      throw error
    }
  }

  const keeper = (): Promise<Known> => {
    current ??= begin().catch((error: unknown) => {
      current = undefined
      throw error
    })
    return current
  }

  const keep = (terms: KeepTerms): Keeping => {
    let kept: KeptProcess | undefined
    const start = async (
      request: Pick<Parameters<KeeperLink['request']>[0] & { do: 'start' }, 'spec' | 'size'>,
    ): Promise<KeptProcess | undefined> => {
      const one = await keeper().catch((error: unknown) => {
        warn('no keeper can be started: an agent ends with this runner', { why: String(error) })
        return undefined
      })
      if (!one) return undefined
      const { folder: place, link, lost } = one
      const facts = (await link.request({ do: 'start', ...request, ...terms })) as KeptFacts
      const from = { out: 0, err: 0 }
      const isWhole = terms.inputs === 'all'
      kept = new KeptProcess({ link, folder: keptFolder(place, facts.p), facts, from, past: [], isWhole, lost })
      return kept
    }
    return keepingOf(() => kept, {
      start: async (spec) => (await start({ spec }))?.asProcess ?? (await local.start(spec)),
      startTerminal: async (spec, size) =>
        (await start({ spec, size }))?.asTerminal ?? (await local.startTerminal(spec, size)),
    })
  }

  const survivorOf = (session: string, { keeper: { folder: place, link, lost }, facts }: Found): Survivor => {
    const own = keptFolder(place, facts.p)
    const inputs = readInputs(readAllOf(own, 'in'))
    return {
      session,
      pid: facts.pid,
      memo: facts.memo,
      notes: inputs.flatMap((input) => ('note' in input ? [input.note] : [])),
      from: { out: firstOf(own, 'out'), err: firstOf(own, 'err') },
      attach: ({ again, ...from }): Attachment => {
        found.delete(session)
        const past = again ? inputs : []
        const kept = new KeptProcess({ link, folder: own, facts, from, past, isWhole: again, lost })
        const keeping = keepingOf(() => kept, {
          start: () => Promise.resolve(kept.asProcess),
          startTerminal: () => Promise.resolve(kept.asTerminal),
        })
        return { ...keeping, failed: kept.past.failed, replay: (through) => kept.replay(through) }
      },
      end: async (graceMs) => {
        found.delete(session)
        await link.request({ do: 'end', p: facts.p, graceMs }).catch(() => lost)
        await link.request({ do: 'forget', p: facts.p }).catch(() => 'a keeper that is gone has forgotten')
      },
    }
  }

  const lasting: Lasting = {
    keep,
    find: (session) => {
      const one = found.get(session)
      return one && survivorOf(session, one)
    },
    get sessions() {
      return [...found.keys()]
    },
  }

  return {
    start: (spec) => local.start(spec),
    startTerminal: (spec, size) => local.startTerminal(spec, size),

    async reap(): Promise<readonly Reaped[]> {
      const reaped = [...(await local.reap())]
      for (const place of placesIn(folder, warn)) {
        const link = await connectFor(place)
        if (!link) {
          reaped.push(...(await reapOf(place)))
          rmSync(place, { recursive: true, force: true })
          continue
        }
        if (link.version > keeperVersion || keeps === 'nothing') {
          const why = keeps === 'nothing' ? 'a keeper of an earlier life' : 'a keeper of a newer version'
          warn(`${why} is ended, with its agents`, { pid: link.pid })
          await endKeeper(link)
          rmSync(place, { recursive: true, force: true })
          reaped.push(...link.processes.map(({ session, pid }) => ({ session, pid })))
          continue
        }
        const one = adopt(place, link)
        // New ones go to a keeper of our own version.
        if (link.version === keeperVersion) current ??= Promise.resolve(one)
        for (const facts of link.processes) {
          const { session } = facts
          const other = found.get(session)
          // Of two the later one counts: the earlier one had ended when it was started.
          if (other) await survivorOf(session, other).end(0)
          found.set(session, { keeper: one, facts })
        }
      }
      return reaped
    },

    ...(keeps === 'nothing' ? {} : { lasting }),

    async [Symbol.asyncDispose]() {
      isClosing = true
      await current?.catch(() => undefined)
      for (const { folder: place, link } of known) {
        await endKeeper(link)
        rmSync(place, { recursive: true, force: true })
      }
      await local[Symbol.asyncDispose]()
    },
  }
}

/** Ends what a keeper that is gone left running, and removes what it left on the disk. */
async function reapOf(place: string): Promise<readonly Reaped[]> {
  const orphans = openLocalHolder({ folder: keptChildrenFolder(place) })
  try {
    return await orphans.reap()
  } finally {
    await orphans[Symbol.asyncDispose]()
  }
}

function keepingOf(kept: () => KeptProcess | undefined, starts: Pick<Holder, 'start' | 'startTerminal'>): Keeping {
  return {
    holder: {
      ...starts,
      reap: () => Promise.resolve([]),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    note: (note) => kept()?.note(note),
    release: (offsets) => kept()?.release(offsets),
    forget: async () => await kept()?.forget(),
  }
}

function placesIn(folder: string, warn: (message: string, facts: Record<string, unknown>) => void): readonly string[] {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return readdirSync(folder).map((name) => join(folder, name))
  } catch (error) {
    warn('the folder of keepers cannot be read', { why: String(error) })
    return []
  }
}

function readAllOf(folder: string, name: string): Buffer {
  const reader = new RawReader(folder, name)
  try {
    const { from, bytes } = reader.readAll()
    // A file that begins in the middle begins with the end of a record.
    return from === 0 ? bytes : bytes.subarray(bytes.indexOf(10) + 1)
  } finally {
    reader[Symbol.dispose]()
  }
}

function firstOf(folder: string, name: string): number {
  return new RawReader(folder, name).from
}
