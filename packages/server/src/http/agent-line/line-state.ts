import { openApprovals, type SessionState, turnOf } from '@hotline/core/session/state'
import type { LineState } from '@hotline/protocol/agent-line'
import type { Evidence } from '@hotline/protocol/evidence'

/** What a machine sees of the agent, as its line tells it. */
export function lineEvidence(seen: Evidence | undefined): Partial<LineState> {
  const { tree, lastOutputAt } = seen ?? {}
  return {
    processes: tree?.count ?? null,
    cpu_ms: tree?.cpuMs ?? null,
    memory_bytes: tree?.memoryBytes ?? null,
    last_output_time: lastOutputAt ?? null,
  }
}

/** A session as its line tells it. */
export function lineState(state: SessionState): LineState {
  return {
    session: state.session,
    title: state.title,
    project: state.project,
    profile: state.agent,
    status: state.status,
    since: state.since,
    reason: state.reason ?? null,
    turn: turnOf(state),
    pid: state.pid ?? null,
    start_time: state.startedAt ?? null,
    exit_code: state.exit?.code ?? null,
    signal: state.exit?.signal ?? null,
    ending: state.ending ?? null,
    out_of_contact_since: state.staleSince ?? null,
    open_approvals: openApprovals(state).length,
    open_questions: state.questions.length,
    queued_messages: state.queue.length,
  }
}
