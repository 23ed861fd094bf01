import type { UploadedAttachment } from '@hotline/protocol/attachment'
import { type Answer, type Credential, openRequest, somethingElse } from './http-request.ts'
import { unreachable } from './problem-of.ts'

/** Where a server is, and who asks. */
export interface ServerAt {
  url: string
  credential: Credential
}

/** A file of a session, by its digest and the name under which it was sent; its body may reject while it is read. */
export function openFile(
  { url, credential }: ServerAt,
  session: string,
  { digest, name }: { digest: string; name?: string | undefined },
  signal: AbortSignal,
): Promise<Answer<Response>> {
  const query = name === undefined ? '' : `?name=${encodeURIComponent(name)}`
  const path = `/api/sessions/${session}/attachments/${digest}${query}`
  return openRequest(url, credential, { method: 'GET', path, signal })
}

/** Uploads a file to a session, to be named in a message there. It never rejects. */
export async function uploadFile(
  { url, credential }: ServerAt,
  session: string,
  { name, content }: { name: string; content: Blob },
  signal: AbortSignal,
): Promise<Answer<UploadedAttachment>> {
  const path = `/api/sessions/${session}/attachments?name=${encodeURIComponent(name)}`
  const opened = await openRequest(url, credential, { method: 'POST', path, body: content, signal })
  if (!opened.ok) return opened
  try {
    return { ok: true, value: (await opened.value.json()) as UploadedAttachment }
  } catch (error) {
    return error instanceof SyntaxError ? somethingElse() : { ok: false, problem: unreachable() }
  }
}
