import type { Budget } from '@hotline/protocol/budget'
import type { Isolation } from '@hotline/protocol/place'
import type { AdapterName, Asking } from '../adapters/adapter.ts'
import type { Containment } from './containment.ts'
import type { Interactive } from './interactive.ts'
import type { Login } from './login.ts'
import type { RulesForm } from './own-rules.ts'

/** When changes are put up for review by themselves, or not. */
export const reviewTimes = ['each_turn', 'when_asked'] as const
export type ReviewTime = (typeof reviewTimes)[number]

/** A kind of agent that this runner can start. */
export interface AgentProfile {
  agent: string
  name: string
  description: string
  adapter: AdapterName
  /** The program and its arguments, or the file that is followed; `of-session`: the session brings its own command line. */
  argv: readonly string[] | 'of-session'
  /** Variables that are handed over besides those that everybody gets. */
  env?: readonly string[]
  /** Variables that are set. */
  set?: Readonly<Record<string, string>>
  asking: Asking
  /** What "allow always" means to it; absent: not offered, because it would last longer than anybody can see. */
  allowAlways?: 'session' | 'project'
  /** It says that it takes up earlier sessions, and never finds one. */
  losesSessions?: boolean
  /** Works in a folder of its own where the session names none. */
  hasScratch?: boolean
  /** Where it works where the session names no folder. Absolute. */
  folder?: string
  /** How its sessions work where nobody chooses; absent: agents in a worktree where there can be one, programs in place. */
  isolation?: Isolation
  /** When its changes are put up for review; absent: at the end of each turn, where it knows turns. */
  review?: ReviewTime
  /** A program and its arguments that are run in a new worktree or copy before the agent starts. */
  setup?: readonly string[]
  /** What to do where the program is missing. */
  hint: string
  /** The arguments with which the program says its version and does nothing else; absent: it is not asked. */
  versionArgs?: readonly string[]
  /** Where one sees that somebody is signed in with it; absent: nobody has to, or nobody can see. */
  login?: Login
  /** Whose form the rules have that a person keeps in its own settings; absent: it has none, or nobody reads them here. */
  ownRules?: RulesForm
  /** How people work with it, where its profile says so. */
  interactive?: Interactive
  /** It puts what it runs into a sandbox of its own, by namespaces. */
  hasSandbox?: true
  /** In what it is contained; absent: `auto` for an agent, `none` for a program. */
  contain?: Containment
  /** How much a session of it may use up, where whoever starts it says nothing else. */
  budget?: Budget
  /** So many of its sessions are at work here at once; absent: as many as this machine takes. */
  sessionsMax?: number
  /** The file that it was read from; absent: it comes with Hotline. */
  file?: string
}
