import { open } from 'node:fs/promises'
import type { Clock } from '../machine/clock.ts'
import { postWebhook } from '../machine/post-webhook.ts'
import { sha256 } from '../machine/sha256.ts'
import type { HeadLine, SendHeads } from './head-sender.ts'

/** Appends heads to a file that its owner alone reads, one in a line. */
export function intoFile(path: string): SendHeads {
  return async (lines) => {
    const file = await open(path, 'a', 0o600)
    try {
      await file.writeFile(textOf(lines))
      await file.datasync()
    } finally {
      await file.close()
    }
    return 'taken'
  }
}

/**
 * Posts heads to an address that the operator has set, one in a line, in the way of every webhook of ours. Each is signed by
 * itself besides, so that whoever takes them can prove them.
 */
export function toWebhook(url: string, secrets: readonly string[], clock: Clock): SendHeads {
  return (lines, signal) => {
    const body = textOf(lines)
    const id = `heads_${sha256(body).slice(0, 32)}`
    return postWebhook({ url, secrets, id, contentType: 'application/x-ndjson', body }, { clock, signal })
  }
}

function textOf(lines: readonly HeadLine[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
}
