import { type Problem, problem } from '@hotline/protocol/error'
import { limits } from '@hotline/protocol/limits'
import type { Principal } from '../access/principal.ts'
import { ownFrame } from '../feed/shared-frame.ts'
import type { Connections } from './connections.ts'
import { Gate, type GatePorts } from './gate.ts'
import type { Wire } from './wire.ts'

/** What it takes to let somebody in, whatever the transport. */
export interface ReceptionPorts {
  gate: GatePorts
  connections: Connections
  /** Facts for the welcome frame. */
  welcome: (principal: Principal) => Promise<object>
  /** May one more connection of this account open? Those of one address are counted by the HTTP server. */
  admit: (principal: Principal) => boolean
  newId: () => string
}

/** Somebody who has proved who they are, and the count of changes of rights before that was looked at. */
export interface Known {
  principal: Principal
  rightsSeen: number
  /** Which life of a runner it is. */
  instance?: string | undefined
}

/**
 * Opens the conversation of somebody who is known, and says welcome; a problem where there are too many already, or another life of the
 * same runner, and
 * undefined where the transport has gone meanwhile. `leave` is owed for every gate.
 */
export async function enter(
  { principal, rightsSeen, instance }: Known,
  wire: Wire,
  isOpen: () => boolean,
  ports: ReceptionPorts,
): Promise<Gate | Problem | undefined> {
  const welcome = await ports.welcome(principal)
  if (!isOpen()) return undefined
  // Counted here, in one step with the entry: many may have proved at the same time who they are.
  if (!ports.admit(principal)) return problem('rate_limited', 'Too many connections of this account.')
  if (principal.kind === 'runner' && instance !== undefined && ports.connections.isTaken(principal, instance)) {
    const detail =
      'Another runner works with this key. End that one, or make this one a key of its own: hotline keys make --kind run.'
    return problem('already_exists', detail, { retryAfterMs: limits.heartbeatMs })
  }
  const gate = new Gate(ports.newId(), principal, wire, ports.gate, instance)
  wire.send(ownFrame({ t: 'welcome', connection: gate.id, ...welcome }))
  ports.connections.add(gate)
  // Whoever lost a right between the proof and the entry was not among those who were told.
  if (ports.gate.rightsChanges() !== rightsSeen) gate.recheck()
  return gate
}

/** The transport is gone. */
export function leave(gate: Gate, ports: ReceptionPorts): void {
  gate.closed()
  ports.connections.remove(gate)
}
