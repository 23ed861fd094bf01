import { type GivenSign, hasSign } from '@hotline/core/session/said'
import type { MessageItem } from '@hotline/core/transcript/item'
import type { Problem } from '@hotline/protocol/error'
import { type Sign, signNames, signs } from '@hotline/protocol/sign'
import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import { useLive } from '../live/hotline.tsx'
import { Refusal } from '../parts/refusal.tsx'

/** Puts one's own sign under a message, or takes it away. */
export type GiveSign = (message: string, sign: Sign, on: boolean) => Promise<Problem | undefined>

/** What it takes to choose a sign: absent where whoever looks may only read. */
export interface Signing {
  /** Whether one's own is there. */
  isMine: (sign: Sign) => boolean
  /** Puts it there, or takes it away. */
  turn: (sign: Sign) => void
  problem: Problem | undefined
}

/** Room between the menu and what is around it. */
const gapPx = 6

export function useSigning(item: MessageItem, react: GiveSign): Signing {
  const { me } = useLive()
  const [problem, setProblem] = useState<Problem>()
  const by = { kind: 'person', id: me.id } as const
  const isMine = (sign: Sign): boolean => hasSign(item.signs ?? [], { sign, by })
  return {
    isMine,
    turn: (sign) => void react(item.message, sign, !isMine(sign)).then(setProblem),
    problem,
  }
}

/** What people have put under a message, in the order in which each sign came first. */
export function Signs({
  given,
  signing,
  mayWrite,
}: {
  given: readonly GivenSign[]
  signing: Signing
  mayWrite: boolean
}): ReactNode {
  const { names } = useLive()
  const id = useId()
  const whose = new Map<Sign, string[]>()
  for (const { sign, by } of given) {
    const name = by.kind === 'service' ? 'A program' : (names.get(by.id) ?? 'Somebody')
    whose.set(sign, [...(whose.get(sign) ?? []), name])
  }
  return (
    <>
      {whose.size > 0 && (
        <div className="signs" role="group" aria-label="Signs">
          {[...whose].map(([sign, people], at) => {
            const who = people.join(', ')
            const name = `${signNames[sign]}: ${people.length}`
            return mayWrite ? (
              <span key={sign}>
                <button
                  type="button"
                  aria-pressed={signing.isMine(sign)}
                  aria-label={name}
                  aria-describedby={`${id}${at}`}
                  title={who}
                  onClick={() => signing.turn(sign)}
                >
                  <span aria-hidden="true">{sign}</span> {people.length}
                </button>
                <span id={`${id}${at}`} hidden>
                  {who}
                </span>
              </span>
            ) : (
              <span key={sign} className="given" role="img" aria-label={`${name} (${who})`} title={who}>
                {sign} {people.length}
              </span>
            )
          })}
        </div>
      )}
      <Refusal problem={signing.problem} look="small" />
    </>
  )
}

/** Opens all signs, to press one of them. */
export function AddSign({ signing }: { signing: Signing }): ReactNode {
  const id = useId()
  const button = useRef<HTMLButtonElement>(null)
  const menu = useRef<HTMLDivElement>(null)
  // What is not open draws nothing: there is one of these for each message.
  const [isOpen, setOpen] = useState(false)
  // Told after the browser has shown it, or has led the focus back; of both at once only the last is told, so that it may
  // be opened that was open for us.
  function turned({ newState }: { newState: string }): void {
    flushSync(() => setOpen(newState === 'open'))
    if (newState !== 'open' || !menu.current || !button.current) return
    place(menu.current, button.current.getBoundingClientRect())
    menu.current.querySelector('button')?.focus()
  }
  const onKey = (event: KeyboardEvent<HTMLDivElement>): void => {
    const buttons = [...event.currentTarget.querySelectorAll('button')]
    const at = buttons.findIndex((one) => one === document.activeElement)
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
    if (step === undefined) return
    event.preventDefault()
    buttons.at((at + step) % buttons.length)?.focus()
  }
  return (
    <>
      <button ref={button} type="button" className="copy" popoverTarget={id} aria-label="Add a sign …">
        sign
      </button>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- keys of its buttons, which it has all */}
      <div
        ref={menu}
        id={id}
        popover="auto"
        className="sign-menu"
        role="group"
        aria-label="Add a sign"
        onToggle={turned}
        onKeyDown={onKey}
      >
        {isOpen &&
          signs.map((sign) => (
            <button
              key={sign}
              type="button"
              aria-label={signNames[sign]}
              title={signNames[sign]}
              aria-pressed={signing.isMine(sign)}
              onClick={() => {
                menu.current?.hidePopover()
                signing.turn(sign)
              }}
            >
              <span aria-hidden="true">{sign}</span>
            </button>
          ))}
      </div>
    </>
  )
}

/** Below what opened it, or above where there is no room, and never over the edge. */
function place(menu: HTMLElement, from: DOMRect): void {
  const { width, height } = menu.getBoundingClientRect()
  const hasRoom = from.bottom + gapPx + height <= innerHeight
  menu.style.top = `${hasRoom ? from.bottom + gapPx : Math.max(gapPx, from.top - gapPx - height)}px`
  menu.style.left = `${Math.max(gapPx, Math.min(from.left, innerWidth - width - gapPx))}px`
}
