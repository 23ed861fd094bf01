import type { Report } from '@hotline/protocol/commands/agent'
import type { Problem } from '@hotline/protocol/error'
import { limits } from '@hotline/protocol/limits'
import type { ServerLink } from '../server-link.ts'
import { sha256 } from '../sha256.ts'

/**
 * Puts what is too long for an event on the server, under its digest, and answers the reports that name it. Always the
 * same for the same reports, so a batch can be sent again; what is in `put` is there already. Rejects with the reason of
 * the signal.
 */
export async function layBeside(
  reports: readonly Report[],
  stream: string,
  link: Pick<ServerLink, 'request'>,
  put: Set<string>,
  signal: AbortSignal,
): Promise<{ ok: true; reports: Report[] } | { ok: false; problem: Problem }> {
  const laid: Report[] = []
  for (const report of reports) {
    const text = longInput(report)
    if (text === undefined) {
      laid.push(report)
      continue
    }
    const digest = sha256(text)
    const path = `/api/sessions/${stream.slice(stream.indexOf(':') + 1)}/content/${digest}`
    if (!put.has(digest)) {
      const answer = await unless(signal, link.request('PUT', path, { text }))
      if (!answer.ok) return answer
      put.add(digest)
    }
    const { input: _beside, ...body } = report.body ?? {}
    laid.push({ ...report, body: { ...body, content: { digest, bytes: Buffer.byteLength(text) } } })
  }
  return { ok: true, reports: laid }
}

/** The input of an approval where it does not go into the event itself. */
function longInput({ type, body }: Report): string | undefined {
  const input = type === 'approval.requested' ? body?.['input'] : undefined
  if (typeof input !== 'string') return undefined
  // As JSON, which writes some characters as six.
  return Buffer.byteLength(JSON.stringify(input)) > limits.approvalInputBytes ? input : undefined
}

/** Does not wait for an answer that nobody wants any more. */
function unless<T>(signal: AbortSignal, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    void answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
