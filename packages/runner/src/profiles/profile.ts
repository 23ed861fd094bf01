import type { AdapterName, Asking } from '../adapters/adapter.ts'

/** A kind of agent that this runner can start. */
export interface AgentProfile {
  agent: string
  name: string
  description: string
  adapter: AdapterName
  /** The program and its arguments; `of-session`: the session brings its own command line. */
  argv: readonly string[] | 'of-session'
  /** Variables that are handed over besides those that everybody gets. */
  env?: readonly string[]
  /** Variables that are set. */
  set?: Readonly<Record<string, string>>
  asking: Asking
  /** What "allow always" means to it; absent: not offered, because it would last longer than anybody can see. */
  allowAlways?: 'session' | 'project'
  /** Works in a folder of its own where the session names none. */
  hasScratch?: boolean
  /** What to do where the program is missing. */
  hint: string
}
