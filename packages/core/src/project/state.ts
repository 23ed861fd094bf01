import type { Actor, Role } from '@hotline/protocol/actor'
import type { PolicyState } from '../policy/policy-state.ts'
import type { Webhooks } from './webhooks.ts'

/** What the rules know of a project. The lines of its sessions are in the log and in the lists, not here. */
export interface ProjectState extends PolicyState {
  kind: 'project'
  project: string
  name: string
  members: Readonly<Record<string, Role>>
  /** So many of its sessions are at work at once; absent for as many as there are machines for. */
  sessionsMax?: number | undefined
  /** Settings of folders that start agents without a question, newest last; absent where there are none. */
  trusted?: readonly TrustedFolder[] | undefined
  /** Where its events are posted to; absent where there never was one. */
  webhooks?: Webhooks | undefined
}

/** Settings that a person has seen and trusts, on one machine. */
export interface TrustedFolder {
  runner: string
  folder: string
  /** Of what was shown: the folder, and each file with its content. */
  digest: string
  by: Actor
  at: string
  /** In which it was asked. */
  session: string
}
