import { openFile, uploadFile } from '@hotline/client/files'
import type { Answer, Credential } from '@hotline/client/http-request'
import type { UploadedAttachment } from '@hotline/protocol/attachment'

/** The way of files between the server and this machine. */
export interface FileTransfer {
  /** The bytes of a file of a session; reading them may reject. */
  open(session: string, file: { digest: string; name: string }, signal: AbortSignal): Promise<Answer<Response>>
  put(session: string, file: { name: string; content: Blob }, signal: AbortSignal): Promise<Answer<UploadedAttachment>>
}

/** The same over HTTP. */
export function httpFiles(url: string, credential: Credential): FileTransfer {
  const at = { url, credential }
  return {
    open: (session, file, signal) => openFile(at, session, file, signal),
    put: (session, file, signal) => uploadFile(at, session, file, signal),
  }
}
