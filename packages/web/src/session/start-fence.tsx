import { fenceWords } from '@hotline/core/reach-words'
import type { AgentRow } from '@hotline/protocol/http'
import { type ReactNode, useState } from 'react'

/** What the chosen agent is kept from, and the choice to start it without that. Nothing for a program: it is what its person made it. */
export function StartFence({ row, mayDecide }: { row: AgentRow; mayDecide: boolean }): ReactNode {
  const [without, setWithout] = useState(false)
  if (row.fence === undefined || (row.fence === 'none' && row.asks === false)) return null
  if (row.fence === 'none') return <p className="small quiet">It is kept from {fenceWords.none}.</p>
  return (
    <fieldset className="field ticks">
      <legend>What it is kept from</legend>
      <label>
        <input
          type="checkbox"
          name="unfenced"
          checked={without}
          onChange={({ target }) => setWithout(target.checked)}
        />{' '}
        Start it without a fence
      </label>
      <p className={without ? 'small warned' : 'small quiet'} role="status">
        {without ? `It is kept from ${fenceWords.none}.` : `Behind a fence: ${fenceWords.files}.`}
      </p>
      {!without && mayDecide && row.asks !== false && (
        <label>
          <input type="checkbox" name="freeEdits" defaultChecked /> In a worktree or copy of its own, do not ask about
          edits
        </label>
      )}
    </fieldset>
  )
}
