import type { CommandInput } from '@hotline/protocol/command'
import { type Problem, problem } from '@hotline/protocol/error'
import type { EventOf } from '@hotline/protocol/events'
import type { PermissionResponse } from '@hotline/protocol/permissions'
import type { PermissionDesk } from './permission-desk.ts'
import { readAsk, readRequestId, type Shown, wordFor } from './request-message.ts'

/** A digest that no request has: whoever was shown nothing is told to look. */
const noDigest = '0'.repeat(64)

/**
 * The command that a response means, bound to what this connection was shown; or why it means none. What is of high risk needs
 * the word of a person here as everywhere: a program that allows all it is shown stops there.
 */
export async function decisionOf(
  response: PermissionResponse,
  shown: Shown | undefined,
  desk: PermissionDesk,
  projects: readonly string[],
): Promise<{ session: string; data: CommandInput<'approval.decide'> } | Problem> {
  const { requestId, decision, updatedInput, reason, scope = 'once', confirm } = response
  const named = readRequestId(requestId)
  if (!named) {
    const detail = `There is no request "${requestId}", or it is not yours to see. Its id stands in the permission-request.`
    return problem('not_found', detail)
  }
  const { session, approval } = named
  const verdict = decision === 'deny' ? 'deny' : updatedInput === undefined ? 'allow' : 'modify'
  if (verdict === 'deny' && updatedInput !== undefined) {
    return problem('invalid_request', '"updatedInput" belongs to "allow": what is denied does not run at all.')
  }
  const input = typeof updatedInput === 'object' ? JSON.stringify(updatedInput) : updatedInput
  if (verdict !== 'deny') {
    const asked = await findAsked(desk, projects, session, approval)
    const word = asked && wordFor(asked.agent, asked.event, input)
    if (word && confirm?.trim().toLowerCase() !== word.word.toLowerCase()) {
      const detail = `${word.why} To allow it send the response with "confirm": "${word.word}", as a person has typed it.`
      return problem('invalid_request', detail, { confirm: { word: word.word, why: word.why } })
    }
  }
  const digest = response.digest ?? shown?.digest ?? (await desk.endedDigest(session, approval)) ?? noDigest
  return {
    session,
    data: {
      approval,
      digest,
      verdict,
      scope,
      ...(input === undefined ? {} : { input }),
      ...(reason === undefined ? {} : { reason }),
    },
  }
}

/** What is open under this name, of what may be seen; undefined where nothing is: the session says what became of it. */
async function findAsked(
  desk: PermissionDesk,
  projects: readonly string[],
  session: string,
  approval: string,
): Promise<{ event: EventOf<'approval.requested'>; agent: string } | undefined> {
  const { asks } = await desk.page({ projects, sessions: [session], isWanted: (one) => one.approval === approval })
  const [row] = asks
  const read = row && readAsk(row)
  return read && { event: read.asked, agent: row.agent }
}
