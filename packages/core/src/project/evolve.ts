import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'
import { evolvePolicy } from '../policy/policy-state.ts'
import type { ProjectState } from './state.ts'
import { evolveWebhooks } from './webhooks.ts'

/** Of more, the oldest are asked about again. */
const trustedMax = 1_000

/** The fold of a project's stream; the lines of its sessions and cards (`session.indexed`, `task.indexed`) change lists, not rules. */
export function evolveProject(state: ProjectState | undefined, event: Envelope): ProjectState | undefined {
  const known = asKnown(event)
  if (known?.type === 'project.created') {
    return { kind: 'project', project: known.data.project, name: known.body?.name ?? '', members: {} }
  }
  if (!state || !known) return state
  if (known.type === 'project.renamed') return known.body ? { ...state, name: known.body.name } : state
  if (known.type === 'project.sessions_limited') return { ...state, sessionsMax: known.data.sessions }
  if (known.type === 'member.added' || known.type === 'member.changed') {
    return { ...state, members: { ...state.members, [known.data.account]: known.data.role } }
  }
  if (known.type === 'member.removed') {
    const { [known.data.account]: _, ...members } = state.members
    return { ...state, members }
  }
  if (known.type === 'folder.trusted') {
    const { runner, digest, session, by } = known.data
    const one = { runner, folder: known.body?.folder ?? '', digest, by, at: known.at, session }
    return { ...state, trusted: [...(state.trusted ?? []), one].slice(-trustedMax) }
  }
  if (known.type === 'folder.distrusted') {
    const { runner, digest } = known.data
    return { ...state, trusted: state.trusted?.filter((one) => one.runner !== runner || one.digest !== digest) }
  }
  const webhooks = evolveWebhooks(state.webhooks ?? {}, known)
  if (webhooks) return { ...state, webhooks }
  const policy = evolvePolicy(state, known, undefined)
  return policy ? { ...state, ...policy } : state
}
