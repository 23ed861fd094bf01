import type { SessionState } from '@hotline/core/session/state'
import type { CommandInput } from '@hotline/protocol/command'
import type { ReactNode } from 'react'

/** What a person may want of an agent that works, or that is paused. */
export type PauseCommand =
  | { type: 'session.pause'; data: CommandInput<'session.pause'> }
  | { type: 'session.resume'; data: Record<string, never> }

/** It works, and can be held at its next step, and nobody has asked for that yet. */
export function canPauseLater({ status, ending, capabilities, controls }: SessionState): boolean {
  const isAsked = controls.some(({ action }) => action === 'pause')
  return (
    status === 'active' && !ending && !isAsked && capabilities?.pause === 'signal' && capabilities.input === 'turns'
  )
}

/** Freeze now, and pause after this step: what is possible as the session stands. */
export function PauseButtons({
  state,
  send,
}: {
  state: SessionState
  send: (command: PauseCommand) => void
}): ReactNode {
  if (state.ending || state.capabilities?.pause !== 'signal') return undefined
  const asked = state.controls.filter(({ action }) => action === 'pause' || action === 'resume')
  const waits = asked.find(({ when }) => when === 'next_step')
  const isBusy = asked.some((control) => control !== waits)
  const isHeld = state.status === 'paused' && state.paused?.kind === 'held'
  if (state.status !== 'active' && !isHeld) return undefined
  return (
    <div className="actions pausing">
      {state.status === 'active' && state.capabilities.input === 'turns' && !waits && (
        <button
          type="button"
          className="button"
          disabled={isBusy}
          title="It works on to what it asks next, or to the end of its turn, and is held there."
          onClick={() => send({ type: 'session.pause', data: { when: 'next_step' } })}
        >
          Pause after this step
        </button>
      )}
      {waits && (
        <button type="button" className="button" onClick={() => send({ type: 'session.resume', data: {} })}>
          Pauses after this step: call it off
        </button>
      )}
      <button
        type="button"
        className="button"
        disabled={isBusy}
        title="Stops all its processes where they are, at once. They go on as if nothing had happened."
        onClick={() => send({ type: 'session.pause', data: {} })}
      >
        Freeze now
      </button>
    </div>
  )
}
