import type { SessionRow } from '@hotline/protocol/http'

const words: Record<string, string> = {
  start_failed: 'could not be started',
  agent_exited: 'the agent ended by itself',
  agent_lost: 'the agent is gone',
  adapter_error: 'the agent could not be understood',
  taken_over: 'another machine took it over',
}

/**
 * Why a session is over, or its agent gone: how the process ended and the reason, in a few words. Undefined where there is
 * nothing to explain: it goes on, or it came to the end that was wanted.
 */
export function whyOver({ status, reason, exit }: Pick<SessionRow, 'status' | 'reason' | 'exit'>): string | undefined {
  if (status !== 'interrupted' && status !== 'failed' && status !== 'aborted') return undefined
  const how = exit ? (exit.signal ?? (exit.code === null ? undefined : `exit code ${exit.code}`)) : undefined
  // Who ended it knows that it did not end by itself.
  const isEnded = reason === 'agent_exited' && exit?.signal != null
  const why = status === 'aborted' ? undefined : isEnded ? 'the agent was ended' : words[reason ?? '']
  const parts = [why, how].filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : parts.join(', ')
}
