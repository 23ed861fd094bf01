import type { ApprovalRequest } from '@hotline/protocol/events/approval'

/** Hex SHA-256 of the UTF-8 bytes of a text. */
type Sha256 = (text: string) => string

/** Parts joined so that no two lists of parts give the same text. */
function frame(parts: readonly string[]): string {
  return parts.map((part) => `${part.length}:${part}`).join('')
}

/** Everything that an approval is bound to, except the input: session, adapter, tool, folder and environment names. */
export function contextDigest(
  session: string,
  adapter: string,
  request: Pick<ApprovalRequest, 'tool' | 'cwd' | 'envNames'>,
  sha256: Sha256,
): string {
  const env = [...(request.envNames ?? [])].toSorted()
  return sha256(frame(['hotline.approval.context', session, adapter, request.tool, request.cwd ?? '', ...env]))
}

/** The digest that is shown, signed for, stored, compared and dispatched: of the context and of the exact input. */
export function approvalDigest(context: string, input: string, sha256: Sha256): string {
  return sha256(frame(['hotline.approval', context, sha256(input)]))
}
