import { type Problem, problem } from '@hotline/protocol/error'
import type { RowChange } from '../log/tables.ts'
import { type Clock, timestamp } from '../machine/clock.ts'
import type { AccessLog } from './access-log.ts'
import { storeProblem, subjectOf } from './accounts.ts'
import { actorOf, type Principal } from './principal.ts'
import type { Proofs } from './proofs.ts'

/**
 * Ends every browser session of the asker's account, the asker's own as well; with `revoke` its personal tokens, API keys
 * and open invitations too. Whoever holds one of them and follows something is cut off by the event.
 */
export async function signOutEverywhere(
  by: Principal,
  keys: 'keep' | 'revoke',
  ports: { log: AccessLog; clock: Clock; proofs: Proofs },
): Promise<Problem | undefined> {
  const { account } = by
  if (by.kind !== 'person' || account === undefined) {
    return problem('forbidden', 'Only a person is signed in somewhere.')
  }
  if (by.projects !== undefined) {
    return problem('forbidden', 'This credential is for some projects alone. Use one for the whole account.')
  }
  const now = timestamp(ports.clock)
  const ended = (['pat', 'svc', 'inv'] as const).map((kind): RowChange => ({
    table: 'keys',
    set: { revoked_at: now },
    where: { account, kind, revoked_at: null },
  }))
  const written = await ports.log.write({
    actor: actorOf(by),
    channel: by.channel,
    address: by.address,
    events: [{ type: 'account.signed_out', subject: subjectOf(account), data: { account, keys } }],
    rows: [{ table: 'keys', drop: { account, kind: 'ses' } }, ...(keys === 'revoke' ? ended : [])],
  })
  if (!written.ok) return storeProblem(written)
  ports.proofs.forget(account)
  return undefined
}
