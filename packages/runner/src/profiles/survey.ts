import { statSync } from 'node:fs'
import type { AnnounceBody } from '@hotline/protocol/http'
import { type AdapterName, runsProgram } from '../adapters/adapter.ts'
import type { Fences } from '../process/namespace.ts'
import { findProgram } from '../process/find-program.ts'
import type { Holder } from '../process/holder.ts'
import { abilitiesOf } from './abilities.ts'
import { isFenced } from './containment.ts'
import { lookForLogin } from './login.ts'
import type { AgentProfile } from './profile.ts'
import { readOwnRules } from './own-rules.ts'
import { readVersion } from './read-version.ts'
import type { Agents } from './resolve.ts'

/** How things stand with one agent on this machine. */
export type AgentNews = AnnounceBody['agents'][number]

/** Programs that are asked for their version at the same time. */
const askedAtOnce = 2

/** Finds out what can be started on this machine. Nothing is started for it but programs that are asked for their version. */
export class Survey {
  readonly #from: Readonly<Record<string, string | undefined>>
  /** By the file of the program as it was then. */
  readonly #versions = new Map<string, string | undefined>()

  constructor(from: Readonly<Record<string, string | undefined>>) {
    this.#from = from
  }

  /** What is known now. */
  report({ profiles, broken }: Agents, fences: Fences): readonly AgentNews[] {
    const wrong = [...broken].map(([agent, why]): AgentNews => {
      const hint = `Its profile is wrong: ${why}`.slice(0, 500)
      return { agent, name: agent, description: '', available: false, state: 'broken', hint }
    })
    return [...[...profiles.values()].map((profile) => this.#newsOf(profile, fences)), ...wrong]
  }

  /** Asks those programs for their version that were not asked as they are now. `heard`: one of them said it. */
  async askVersions({ profiles }: Agents, options: { holder: Holder; cwd: string; heard: () => void }): Promise<void> {
    const asked = [...profiles.values()].flatMap((profile) => {
      const key = this.#versionKey(profile)
      return key === undefined || this.#versions.has(key) ? [] : [{ key, profile }]
    })
    const unique = new Map(asked.map(({ key, profile }) => [key, profile]))
    const waiting = [...unique]
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [key, profile] = next
        const program = this.#programOf(profile)
        if (program === undefined) continue
        const argv = [program, ...(profile.versionArgs ?? [])]
        const version = await readVersion(argv, { ...options, from: this.#from })
        this.#versions.set(key, version)
        if (version !== undefined) options.heard()
      }
    }
    await Promise.all(Array.from({ length: askedAtOnce }, work))
  }

  #newsOf(profile: AgentProfile, fences: Fences): AgentNews {
    const { agent, name, description, adapter, argv, hint, login, interactive } = profile
    const installed = argv === 'of-session' || adapter === 'log' || this.#programOf(profile) !== undefined
    const signedIn = login ? lookForLogin(login, this.#from) : 'yes'
    // Whoever speaks there comes by itself: there is nothing to start from here.
    const state =
      !(interactive?.enabled ?? true) || adapter === 'mcp'
        ? 'off'
        : !installed
          ? 'not_installed'
          : signedIn === 'no'
            ? 'signed_out'
            : 'ready'
    const version = this.#versions.get(this.#versionKey(profile) ?? '')
    const advice = adviceFor(state, profile)
    const ownRules = readOwnRules(profile.ownRules, this.#from)
    return {
      agent,
      name,
      description,
      available: state === 'ready' || state === 'signed_out',
      state,
      ...(advice === '' || advice === undefined ? {} : { hint: advice }),
      ...(version === undefined ? {} : { version }),
      ...(runsProgram(adapter) ? { asks: false } : {}),
      ...(profile.hasScratch || profile.folder !== undefined ? { ownFolder: true } : {}),
      ...(startsNothing(adapter) ? {} : { fence: isFenced(profile, fences) ? ('files' as const) : ('none' as const) }),
      ...(ownRules ? { ownRules } : {}),
      ...(profile.sessionsMax === undefined ? {} : { sessionsMax: profile.sessionsMax }),
      can: abilitiesOf(profile),
    }
    function adviceFor(of: typeof state, { file }: AgentProfile): string | undefined {
      switch (of) {
        case 'ready':
          return undefined
        case 'off':
          if (adapter === 'mcp') return hint
          return `It is turned off: interactive.enabled is not true${file === undefined ? '' : ' in its profile'}.`
        case 'not_installed':
          return hint
        case 'signed_out':
          return login?.hint
      }
    }
  }

  #programOf({ argv }: AgentProfile): string | undefined {
    const [program] = argv === 'of-session' ? [] : argv
    return program === undefined ? undefined : findProgram(program, this.#from['PATH'])
  }

  #versionKey(profile: AgentProfile): string | undefined {
    if (profile.versionArgs === undefined || profile.interactive?.enabled === false) return undefined
    const program = this.#programOf(profile)
    const facts = program === undefined ? undefined : statSync(program, { throwIfNoEntry: false })
    if (program === undefined || !facts) return undefined
    return JSON.stringify([program, facts.ino, facts.size, facts.mtimeMs, profile.versionArgs])
  }
}

function startsNothing(adapter: AdapterName): boolean {
  return adapter === 'log' || adapter === 'mcp'
}
