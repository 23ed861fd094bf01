import { z } from 'zod'
import type { LogStore } from '../log/log-store.ts'
import type { StoredRow } from '../log/stored-row.ts'
import { walkStreams } from '../log/walk-streams.ts'

/**
 * An export that proves itself, as lines of JSON. Nothing here may change for exports that exist: somebody will verify one
 * years from now. What the hashes cover is said in `log/sealed-event.ts`.
 *
 * The first line says what it is, and of which streams. For each stream there is a line with its name, epoch, and the position
 * and hash of its last event; then one for each event, with the bytes of header and body as text, the salt of the body, or in
 * place of an erased body its digest, and the hash. The last line says how many there were. Bytes are in lower-case hex.
 */
export const FirstLine = z.strictObject({ hotline: z.literal('chain 1'), of: z.string().max(100) })
export const StreamLine = z.strictObject({
  stream: z.string().max(100),
  epoch: z.string().max(100),
  head: z.int().min(0),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
})
export const EventLine = z.strictObject({
  seq: z.int().min(1),
  header: z.string(),
  salt: z
    .string()
    .regex(/^([0-9a-f]{2})*$/)
    .optional(),
  body: z.string().optional(),
  digest: z
    .string()
    .regex(/^([0-9a-f]{2})*$/)
    .optional(),
  hash: z.string().regex(/^([0-9a-f]{2})*$/),
})
export const LastLine = z.strictObject({ end: z.strictObject({ streams: z.int().min(0), events: z.int().min(0) }) })

/** Bodies go up to 256 KiB: no more than a few megabytes are in memory at once. */
const pageRows = 50

/** The lines of one stream, or of `all`. Reads as it is read. */
export async function* chainLines(
  store: Pick<LogStore, 'readChain' | 'streams'>,
  of: string,
): AsyncGenerator<string, void, undefined> {
  const counts = { streams: 0, events: 0 }
  yield line({ hotline: 'chain 1', of })
  for await (const stream of of === 'all' ? walkStreams(store) : [of]) yield* streamLines(store, stream, counts)
  yield line({ end: counts })
}

async function* streamLines(
  store: Pick<LogStore, 'readChain'>,
  stream: string,
  counts: { streams: number; events: number },
): AsyncGenerator<string, void, undefined> {
  const first = await store.readChain(stream, 0, pageRows)
  if (!first) return
  const { epoch, head, hash } = first
  counts.streams += 1
  yield line({ stream, epoch, head, hash: hex(hash) })
  for (let page = first.rows; page.length > 0;) {
    // What comes while this is read is not part of it.
    for (const row of page.filter(({ seq }) => seq <= head)) {
      counts.events += 1
      yield line(eventLine(row))
    }
    const last = page.at(-1)?.seq ?? head
    page = last >= head ? [] : ((await store.readChain(stream, last, pageRows))?.rows ?? [])
  }
}

function eventLine({ seq, header, salt, body, digest, hash }: StoredRow): z.infer<typeof EventLine> {
  return {
    seq,
    header: text(header),
    ...(salt === null ? {} : { salt: hex(salt) }),
    ...(body === null ? {} : { body: text(body) }),
    ...(digest === null ? {} : { digest: hex(digest) }),
    hash: hex(hash),
  }
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
