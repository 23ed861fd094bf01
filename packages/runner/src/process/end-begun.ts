import { setTimeout as pause } from 'node:timers/promises'
import type { HeldTree } from './holder.ts'
import { hasBegunSince, listEntries, type ProcessMark, type TableEntry } from './process-table.ts'
import { send } from './process-tree.ts'

/** Time between two looks at what is being ended. */
const lookEveryMs = 50

/** What does not end at SIGINT within this gets SIGKILL. */
const graceMs = 2_000

/** After SIGKILL only the kernel itself can hold a process. */
const giveUpMs = 4_000

/**
 * Ends what an agent has started since a moment, and not the agent itself: a turn that does not stop mostly waits for such a
 * program. What was there before (servers of its tools, say) is left alone. `tell` hears how many there are before anything
 * is done, and may call it off. Resolves to how many were ended.
 */
export async function endBegun(
  { tree, pid: agentPid = 0 }: { tree: HeldTree | undefined; pid: number | undefined },
  since: ProcessMark,
  tell: (found: number) => 'end' | 'leave',
): Promise<number> {
  const ended = new Map<number, number>()
  const startedMs = performance.now()
  for (;;) {
    const found = await findBegun(tree, agentPid, since)
    const passedMs = performance.now() - startedMs
    if (found.length === 0 || passedMs > giveUpMs) return ended.size
    if (ended.size === 0 && tell(found.length) === 'leave') return 0
    for (const { pid, startTicks } of found) {
      if (passedMs > graceMs) send(pid, 'SIGKILL')
      else if (ended.get(pid) !== startTicks) send(pid, 'SIGINT')
      ended.set(pid, startTicks)
    }
    await pause(lookEveryMs)
  }
}

async function findBegun(tree: HeldTree | undefined, agentPid: number, since: ProcessMark): Promise<TableEntry[]> {
  const sampled = new Set((await tree?.sample())?.processes.map(({ pid }) => pid))
  const entries = listEntries()
  const ours = new Set([agentPid, ...sampled])
  for (let before = -1; before < ours.size;) {
    before = ours.size
    for (const { pid, ppid } of entries) if (ours.has(ppid)) ours.add(pid)
  }
  return entries.filter((entry) => ours.has(entry.pid) && entry.pid !== agentPid && hasBegunSince(since, entry))
}
