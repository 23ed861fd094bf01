import { elapsedText } from '@hotline/core/elapsed'
import { reachWords } from '@hotline/core/reach-words'
import type { SessionEvidence } from '@hotline/protocol/evidence'
import { countText, memoryText } from '../../text/amounts.ts'
import { agoText, clockText } from '../../text/time.ts'

/** How an agent stands, in lines; what is not known is not said. */
export function evidenceLines(seen: SessionEvidence, now: number): string[] {
  const { status, turn, since, pid, startedAt, tree, lastOutputAt, exit, staleSince, reach, waitsFor } = seen
  const asks = waitsFor.approvals.length + waitsFor.questions.length
  const ago = (at: string): string => agoText(Math.max(0, now - Date.parse(at)))
  return [
    `${status}${status === 'active' ? `, ${turn}` : ''} since ${clockText(since, now)}`,
    ...(staleSince === null ? [] : [`its machine is out of contact since ${clockText(staleSince, now)}`]),
    ...(asks === 0 ? [] : [`waits for you: ${countText(asks, 'request')}`]),
    ...(pid === null ? [] : [`pid ${pid}${startedAt === null ? '' : `, started ${ago(startedAt)}`}`]),
    ...(tree
      ? [
          `${countText(tree.count, 'process', 'processes')}, ${elapsedText(tree.cpuMs)} of CPU time, ${memoryText(tree.memoryBytes)}`,
        ]
      : []),
    ...(lastOutputAt === null ? [] : [`last output ${ago(lastOutputAt)}`]),
    ...(exit === null ? [] : [`ended with ${exit.signal ?? `exit code ${exit.code}`}`]),
    ...(reach === null ? [] : [`a stop ends ${reachWords[reach]}`]),
  ]
}
