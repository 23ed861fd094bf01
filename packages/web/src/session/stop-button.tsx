import type { SessionState } from '@hotline/core/session/state'
import type { CommandInput } from '@hotline/protocol/command'
import type { CSSProperties, ReactNode } from 'react'
import { holdMs, useHold } from '../live/use-hold.ts'

/**
 * Stops the turn: by a click, or by its key, which has to be held. While the agent is stopping, it stops it harder: what it
 * has started in this turn is ended.
 */
export function StopButton({
  state,
  stop,
}: {
  state: SessionState
  stop: (data: CommandInput<'session.interrupt'>) => void
}): ReactNode {
  const asked = state.controls.filter(({ action }) => action === 'interrupt')
  const isHard = asked.some(({ hard }) => hard === true)
  const isAsked = asked.length > 0
  const press = (): void => {
    if (!isHard) stop(isAsked ? { hard: true } : {})
  }
  const held = useHold('s', true, press)
  return (
    <button
      type="button"
      className="button stop"
      data-held={held || undefined}
      style={{ '--hold': `${holdMs}ms` } as CSSProperties}
      title={
        isAsked
          ? 'It is stopping. Ends what it has started in this turn as well, and not the agent itself. Hold s.'
          : 'Stops what the agent does now; it can be told to go on. Hold s.'
      }
      disabled={isHard}
      onClick={press}
    >
      {isHard ? 'Stopping …' : held ? 'Hold to stop' : isAsked ? 'Stop harder' : 'Stop turn'}
      <kbd className="key">s</kbd>
    </button>
  )
}
