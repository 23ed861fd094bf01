import { open } from 'node:fs/promises'
import type { SendHeads } from './head-sender.ts'
import type { SignedHead } from './signed-head.ts'

/** Appends heads to a file that its owner alone reads, one in a line. */
export function intoFile(path: string): SendHeads {
  return async (heads) => {
    const file = await open(path, 'a', 0o600)
    try {
      await file.writeFile(linesOf(heads))
      await file.datasync()
    } finally {
      await file.close()
    }
  }
}

/**
 * Posts heads to an address that the operator has set, one in a line. Each is signed by itself, so that whoever takes them can
 * prove them. It follows nobody to another address, and says none in what it throws: it may be a secret.
 */
export function toWebhook(url: string): SendHeads {
  return async (heads, signal) => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: linesOf(heads),
      redirect: 'error',
      signal,
    }).catch(() => undefined)
    await answer?.body?.cancel()
    if (!answer?.ok) throw new Error(`the webhook for heads did not take them (${answer?.status ?? 'no answer'})`)
  }
}

function linesOf(heads: readonly SignedHead[]): string {
  return heads.map((head) => `${JSON.stringify(head)}\n`).join('')
}
