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

/** The digest of the exact input of a request; undefined where it has none, or two. */
export function inputDigest(request: Pick<ApprovalRequest, 'input' | 'content'>, sha256: Sha256): string | undefined {
  const { input, content } = request
  if (content !== undefined) return input === undefined ? content.digest : undefined
  return input === undefined ? undefined : sha256(input)
}

/** The digest that is shown, signed for, stored, compared and dispatched: of the context and of the digest of the exact input. */
export function approvalDigest(context: string, digestOfInput: string, sha256: Sha256): string {
  return sha256(frame(['hotline.approval', context, digestOfInput]))
}
