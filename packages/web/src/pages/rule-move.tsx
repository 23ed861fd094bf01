import { ruleWords } from '@hotline/core/policy/rule-words'
import type { HeldRule } from '@hotline/protocol/policy'
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { usePassword } from './use-password.ts'

type Way = 'up' | 'down'

const ways: readonly [Way, string][] = [
  ['up', '↑'],
  ['down', '↓'],
]

/** Puts a rule one place up or down among those of its stream (`ids`, in their order). */
export function MoveRule({
  rule,
  ids,
  stream,
  load,
}: {
  rule: HeldRule
  ids: readonly string[]
  stream: string
  load: () => Promise<void>
}): ReactNode {
  const { link } = useLive()
  const { isAsked, problem, send } = usePassword()
  const [way, setWay] = useState<Way>()
  const buttons = useRef<Partial<Record<Way, HTMLButtonElement | null>>>({})
  const place = ids.indexOf(rule.rule)

  // The line is elsewhere in the page now, and its buttons have lost the keyboard.
  useEffect(() => {
    if (way === undefined) return
    const { up, down } = buttons.current
    const same = way === 'up' ? up : down
    const to = same?.disabled === true ? (way === 'up' ? down : up) : same
    to?.focus()
    setWay(undefined)
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- of one move, once it is seen
  }, [place])

  async function move(said: FormData, to: Way): Promise<void> {
    setWay(to)
    const before = (to === 'up' ? ids[place - 1] : ids[place + 2]) ?? null
    await send(said, () => link.command(stream, 'policy.move_rule', { rule: rule.rule, before }))
    // Also where it was refused: the order may be another by now.
    await load()
  }

  async function again(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault()
    if (way !== undefined) await move(new FormData(event.currentTarget), way)
  }

  return (
    <>
      {ways.map(([to, sign]) => (
        <button
          key={to}
          ref={(button) => {
            buttons.current[to] = button
          }}
          type="button"
          className="button plain"
          disabled={to === 'up' ? place <= 0 : place >= ids.length - 1}
          aria-label={`Move ${to}, from place ${place + 1} of ${ids.length}: ${ruleWords(rule)}`}
          title={`Move ${to}`}
          onClick={() => void move(new FormData(), to)}
        >
          {sign}
        </button>
      ))}
      {isAsked && (
        <form className="stack" aria-label="Move this rule" onSubmit={(event) => void again(event)}>
          <PasswordAgain words="Your password, to change which rule comes first" />
          <button type="submit" className="button" style={{ justifySelf: 'start' }}>
            Move it {way}
          </button>
        </form>
      )}
      <Refusal problem={problem} look="small" />
    </>
  )
}
