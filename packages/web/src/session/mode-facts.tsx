import { modeMark, modeMeanings, modeNames } from '@hotline/core/policy/mode-words'
import type { SessionState } from '@hotline/core/session/state'
import type { CommandInput } from '@hotline/protocol/command'
import { handsFreeMinutes, type PolicyModeName, policyModes } from '@hotline/protocol/policy-mode'
import { type FormEvent, type ReactNode, useState } from 'react'
import { useNow } from '../live/use-now.ts'

/** Sends another mode. */
export type SetPolicyMode = (data: CommandInput<'policy.set_mode'>) => void

const times: readonly (readonly [minutes: number, words: string])[] = [
  [15, '15 minutes'],
  [handsFreeMinutes.usual, '30 minutes'],
  [60, '1 hour'],
  [120, '2 hours'],
  [handsFreeMinutes.most, '8 hours'],
]

/** What is asked in this session, and other ways for whoever may decide. */
export function ModeFacts({ state, set }: { state: SessionState; set: SetPolicyMode | undefined }): ReactNode {
  const now = useNow(1_000)
  const mark = modeMark(state.policyMode, now)
  const [chosen, setChosen] = useState<PolicyModeName>()
  if (!set && mark === undefined) return undefined
  const standing = mark === undefined ? 'ask' : (state.policyMode?.mode ?? 'ask')
  const mode = chosen ?? standing
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const minutes = Number(new FormData(event.currentTarget).get('minutes'))
    set?.(mode === 'hands_free' ? { mode, minutes } : { mode })
    setChosen(undefined)
    event.currentTarget.closest('details')?.removeAttribute('open')
  }
  return (
    <div className="budget asked">
      <h2>What it asks</h2>
      <p className="small">{mark === undefined ? 'Everything that no rule answers.' : `${capital(mark)}.`}</p>
      {set && (
        <details className="why">
          <summary>Change it …</summary>
          <form className="stack" onSubmit={submit}>
            <fieldset className="field ticks">
              <legend className="unseen">What it asks</legend>
              {policyModes.map((one) => (
                <label key={one}>
                  <input type="radio" name="mode" value={one} checked={mode === one} onChange={() => setChosen(one)} />{' '}
                  {modeNames[one]}
                  <span className="meant small quiet">{modeMeanings[one]}</span>
                </label>
              ))}
            </fieldset>
            {mode === 'hands_free' && (
              <label className="field">
                <span>For how long</span>
                <select className="input" name="minutes" defaultValue={handsFreeMinutes.usual}>
                  {times.map(([minutes, words]) => (
                    <option key={minutes} value={minutes}>
                      {words}
                    </option>
                  ))}
                </select>
              </label>
            )}
            <div className="actions">
              <button type="submit" className="button" disabled={mode === standing && mode !== 'hands_free'}>
                {mode === 'hands_free' ? 'Go hands-free' : 'Set it'}
              </button>
            </div>
          </form>
        </details>
      )}
    </div>
  )
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}
