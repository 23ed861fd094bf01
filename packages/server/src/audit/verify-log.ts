import type { ProvableLog } from '../log/open-to-prove.ts'
import { walkStreams } from '../log/walk-streams.ts'
import type { HeadBook } from './head-book.ts'
import type { ChainFault, ChainProof } from './verify-export.ts'

/** The same for a log where it lies, also while a server works with it: one stream, or `all`. */
export async function verifyLog(
  log: Pick<ProvableLog, 'readChain' | 'streams' | 'verify'>,
  of: string,
  heads?: HeadBook,
): Promise<ChainProof> {
  const faults: ChainFault[] = []
  const seen = new Set<string>()
  const counts = { events: 0, heads: 0 }
  for await (const stream of of === 'all' ? walkStreams(log) : [of]) {
    const end = await log.readChain(stream, 0, 1)
    if (!end) continue
    seen.add(stream)
    const broken = await log.verify(stream)
    if (broken) {
      counts.events += broken.seq - 1
      faults.push({ stream, seq: broken.seq, what: broken.reason })
      continue
    }
    counts.events += end.head
    const signed = await againstHeads(log, { stream, ...end }, heads)
    counts.heads += signed.met
    if (signed.fault) faults.push(signed.fault)
  }
  for (const stream of heads?.streams() ?? []) {
    if (seen.has(stream) || (of !== 'all' && of !== stream)) continue
    faults.push({ stream, seq: 1, what: 'there is a signed head of this stream, and none of its events' })
  }
  return { of, streams: seen.size, ...counts, faults }
}

async function againstHeads(
  log: Pick<ProvableLog, 'readChain'>,
  { stream, epoch, head }: { stream: string; epoch: string; head: number },
  heads: HeadBook | undefined,
): Promise<{ met: number; fault?: ChainFault }> {
  let met = 0
  for (const { seq } of heads?.of(stream) ?? []) {
    if (seq > head) break
    const row = (await log.readChain(stream, seq - 1, 1))?.rows[0]
    const what = heads?.differs({ stream, epoch }, { seq, hash: Buffer.from(row?.hash ?? []).toString('hex') })
    if (what !== undefined) return { met, fault: { stream, seq, what } }
    met += 1
  }
  const what = heads?.beyond(stream, head)
  return what === undefined ? { met } : { met, fault: { stream, seq: head + 1, what } }
}
