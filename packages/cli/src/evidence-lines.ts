import { usedWords } from '@hotline/core/budget-words'
import { elapsedText } from '@hotline/core/elapsed'
import { modeMark } from '@hotline/core/policy/mode-words'
import { fenceWords, reachWords, standstillWords } from '@hotline/core/reach-words'
import type { SessionEvidence } from '@hotline/protocol/evidence'
import type { ProcessSample } from '@hotline/protocol/process-tree'
import { dayAndTimeOf, inLine } from './approval-card.ts'

/** How an agent stands, a fact a line, its processes below. What is not known is left out. */
export function evidenceLines(seen: SessionEvidence, now: Date): string {
  const { tree } = seen
  const facts: [string, string | undefined][] = [
    ['status', `${statusOf(seen)}, since ${dayAndTimeOf(seen.since, now)}`],
    ['turn', seen.turn],
    ['waits for', waitsOf(seen)],
    ['not asked', modeMark(seen.policyMode, now.getTime())],
    ['contact', seen.staleSince === null ? undefined : `none since ${dayAndTimeOf(seen.staleSince, now)}`],
    ['process', seen.pid === null ? undefined : `pid ${seen.pid}${startOf(seen, now)}`],
    ['exit', exitOf(seen)],
    ['CPU time', tree ? elapsedText(tree.cpuMs) : undefined],
    ['memory', tree ? memoryOf(tree.memoryBytes) : undefined],
    ['last output', seen.lastOutputAt === null ? undefined : dayAndTimeOf(seen.lastOutputAt, now)],
    ['a stop ends', seen.reach === null ? undefined : reachWords[seen.reach]],
    ['fenced off', seen.pid === null ? undefined : fenceWords[seen.fence ?? 'none']],
    ['budget', seen.budgets.length > 0 ? seen.budgets.map(usedWords).join('; ') : undefined],
    ['seen', tree ? dayAndTimeOf(tree.at, now) : undefined],
  ]
  const told = facts.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(12)} ${value}\n`]))
  const rows = tree ? treeRows(tree.processes) : []
  const more = tree && tree.count > tree.processes.length ? [`  and ${tree.count - tree.processes.length} more\n`] : []
  return [...told, ...rows, ...more].join('')
}

/** What is used of each budget, a line each. */
export function budgetLines(budgets: SessionEvidence['budgets']): string {
  return budgets.map((one) => `${usedWords(one)}${one.used >= one.limit ? ': used up' : ''}\n`).join('')
}

/** One line of `ps`: its processes, what they use, and what it is. */
export function usageLine(
  seen: SessionEvidence,
  { id, agent, title }: { id: string; agent: string; title: string },
): string {
  const { tree } = seen
  const use = tree
    ? `${String(tree.count).padStart(4)}  ${elapsedText(tree.cpuMs).padStart(8)}  ${memoryOf(tree.memoryBytes).padStart(8)}`
    : '   -         -         -'
  return `${id}  ${String(seen.pid ?? '-').padStart(7)}  ${use}  ${statusOf(seen).padEnd(10)}  ${inLine(agent).padEnd(10)} ${inLine(title)}\n`
}

/** What the columns of `usageLine` are called. */
export function usageHead(idChars: number): string {
  return `${'SESSION'.padEnd(idChars)}  ${'PID'.padStart(7)}  PROC  ${'CPU'.padStart(8)}  ${'MEMORY'.padStart(8)}  ${'STATUS'.padEnd(10)}  ${'AGENT'.padEnd(10)} TITLE\n`
}

function statusOf({ status, paused }: SessionEvidence): string {
  if (!paused) return inLine(status)
  if (paused.kind === 'held') return 'held before its next step'
  return ['frozen', standstillWords(paused)].filter(Boolean).join(': ')
}

function waitsOf({ waitsFor: { approvals, questions } }: SessionEvidence): string | undefined {
  const asks = [...approvals.map((id) => `approval ${inLine(id)}`), ...questions.map((id) => `answer to ${inLine(id)}`)]
  return asks.length > 0 ? asks.join(', ') : undefined
}

function startOf({ startedAt }: SessionEvidence, now: Date): string {
  return startedAt === null ? '' : `, started ${dayAndTimeOf(startedAt, now)}`
}

function exitOf({ exit }: SessionEvidence): string | undefined {
  return exit ? (exit.signal ?? `exit code ${exit.code}`) : undefined
}

/** Each below the one that started it. */
function treeRows(processes: readonly ProcessSample[], ppid = 0, depth = 1): string[] {
  const known = new Set(processes.map(({ pid }) => pid))
  return processes
    .filter((process) => process.ppid === ppid || (ppid === 0 && !known.has(process.ppid)))
    .flatMap(({ pid, name, cpuMs, memoryBytes }) => [
      `${'  '.repeat(depth)}${pid} ${inLine(name)} · ${elapsedText(cpuMs)} · ${memoryOf(memoryBytes)}\n`,
      ...treeRows(processes, pid, depth + 1),
    ])
}

function memoryOf(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}
