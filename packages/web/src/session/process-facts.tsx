import type { SeenAgent } from '@hotline/client/agent-evidence'
import { fenceWords, reachWords } from '@hotline/core/reach-words'
import type { SessionState } from '@hotline/core/session/state'
import { elapsedText } from '@hotline/core/elapsed'
import { holdsAgent } from '@hotline/protocol/session-status'
import type { ProcessSample } from '@hotline/protocol/process-tree'
import type { ReactNode } from 'react'
import { countText, memoryText } from '../text/amounts.ts'
import { agoText, exactText } from '../text/time.ts'
import { Fact } from './fact.tsx'

/** What the machine sees of the agent's processes; before it has answered, what the log knows. */
export function ProcessFacts({
  state,
  seen,
  now,
}: {
  state: SessionState
  seen: SeenAgent | undefined
  now: number
}): ReactNode {
  if (!holdsAgent(state.status)) {
    const { exit } = state
    return <Fact name="Exit">{exit && (exit.signal ?? `exit code ${exit.code}`)}</Fact>
  }
  const { tree, cpuShare, lastOutputAt } = seen ?? {}
  const process = state.pid === undefined ? '' : `pid ${state.pid}`
  const count = tree && tree.count > 1 ? countText(tree.count, 'process', 'processes') : ''
  return (
    <>
      <Fact name="Process">{[process, count].filter(Boolean).join(' · ')}</Fact>
      <Fact name="Started">
        {state.startedAt !== undefined && (
          <time title={exactText(state.startedAt)}>{agoText(now - Date.parse(state.startedAt))}</time>
        )}
      </Fact>
      <Fact name="CPU">
        {tree &&
          [cpuShare === undefined ? '' : percent(cpuShare), `${elapsedText(tree.cpuMs)} in all`]
            .filter(Boolean)
            .join(' · ')}
      </Fact>
      <Fact name="Memory">{tree && memoryText(tree.memoryBytes)}</Fact>
      <Fact name="Last output">
        {lastOutputAt !== undefined && agoText(Math.max(0, now - Date.parse(lastOutputAt)))}
      </Fact>
      <Fact name="A stop ends">{state.reach && reachWords[state.reach]}</Fact>
      <Fact name="Fenced off">{state.pid !== undefined && fenceWords[state.fence ?? 'none']}</Fact>
    </>
  )
}

/** Each process under the one that started it. */
export function ProcessTree({ seen }: { seen: SeenAgent | undefined }): ReactNode {
  const { tree } = seen ?? {}
  if (!tree || tree.count < 2) return undefined
  return (
    <>
      <h2>
        Processes <span className="quiet">{tree.count}</span>
      </h2>
      <ul className="plain processes">
        {inOrder(tree.processes).map(({ process: { pid, name, cpuMs, memoryBytes }, depth }) => (
          <li key={pid} style={{ paddingInlineStart: `${Math.min(depth, 6) * 12}px` }}>
            <span className="mono">{name}</span>{' '}
            <span className="quiet">
              {pid} · {elapsedText(cpuMs)} · {memoryText(memoryBytes)}
            </span>
          </li>
        ))}
      </ul>
      {tree.count > tree.processes.length && (
        <p className="small quiet">and {tree.count - tree.processes.length} more</p>
      )}
    </>
  )
}

function inOrder(processes: readonly ProcessSample[]): { process: ProcessSample; depth: number }[] {
  const under = (ppid: number, depth: number): { process: ProcessSample; depth: number }[] =>
    processes
      .filter((process) => process.ppid === ppid)
      .flatMap((process) => [{ process, depth }, ...under(process.pid, depth + 1)])
  const found = under(0, 0)
  // One whose parent is not among those that are named stands by itself.
  const known = new Set(found.map(({ process }) => process.pid))
  return [...found, ...processes.filter(({ pid }) => !known.has(pid)).map((process) => ({ process, depth: 0 }))]
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
