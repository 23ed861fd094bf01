import { askKey } from '@hotline/core/account/ask-key'
import { snoozeEndMs } from '@hotline/core/account/snooze-end'
import type { CommandOutcome } from '@hotline/client/link'
import type { Problem } from '@hotline/protocol/error'
import { accountStream } from '@hotline/protocol/stream'
import {
  type KeyboardEvent as KeyPress,
  type ReactNode,
  type RefObject,
  useEffect,
  useEffectEvent,
  useId,
  useRef,
  useState,
} from 'react'
import { useLive } from '../live/hotline.tsx'
import { isPlain, isTyping } from '../live/keyboard.ts'
import { useReadable } from '@hotline/client/use-readable'
import { useNow } from '../live/use-now.ts'
import { openDialog } from '../parts/open-dialog.ts'
import { Refusal } from '../parts/refusal.tsx'
import { clockText, exactText } from '../text/time.ts'
import { snoozeChoices } from '@hotline/client/snooze-choices'

/** Something that is asked, for whoever puts it aside. */
interface Asked {
  session: string
  ask: string
  /** When its time is over, in wall milliseconds; undefined where that stands, or never is. */
  endsMs: number | undefined
}

/** Puts what is asked aside for oneself, or brings it back; by key too, where keys mean it. */
export function Snooze({ hasKey, ...asked }: Asked & { hasKey: boolean }): ReactNode {
  const { session, ask } = asked
  const { snoozes } = useLive()
  const until = useReadable(snoozes.picture).get(askKey(session, ask))
  const dialog = useRef<HTMLDialogElement>(null)
  const { back, problem } = useSnooze(asked)
  const press = useEffectEvent((): void => {
    if (until === undefined) openDialog(dialog.current)
    else void back()
  })
  useEffect(() => {
    if (!hasKey) return undefined
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== 'z' || event.repeat || !isPlain(event) || isTyping(event.target)) return
      event.preventDefault()
      press()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [hasKey])
  const key = hasKey && <kbd className="key">z</kbd>
  return (
    <>
      <div className="facts snooze" data-aside={until !== undefined || undefined}>
        {until === undefined ? (
          <button type="button" className="button plain" onClick={() => openDialog(dialog.current)}>
            Snooze … {key}
          </button>
        ) : (
          <>
            <span>
              Snoozed for you until{' '}
              <time dateTime={until} title={exactText(until)}>
                {clockText(until, Date.now())}
              </time>
            </span>
            <button type="button" className="button" onClick={() => void back()}>
              Bring back {key}
            </button>
          </>
        )}
        <Refusal problem={problem} look="small" />
      </div>
      <SnoozeMenu dialog={dialog} asked={asked} />
    </>
  )
}

/** Brings it back before its time, from a list. */
export function BringBack({ session, ask }: Pick<Asked, 'session' | 'ask'>): ReactNode {
  const { back, problem } = useSnooze({ session, ask, endsMs: undefined })
  return (
    <>
      <button type="button" className="button small" onClick={() => void back()}>
        Bring back
      </button>
      <Refusal problem={problem} look="small" />
    </>
  )
}

/** Until when: by its number, its button, or a time of one's own. */
function SnoozeMenu({ dialog, asked }: { dialog: RefObject<HTMLDialogElement | null>; asked: Asked }): ReactNode {
  const title = useId()
  const now = useNow(10_000)
  const [own, setOwn] = useState('')
  const { contact } = useLive()
  const { snooze, problem, isSent } = useSnooze(asked)
  const choices = snoozeChoices(now)
  const choose = async (atMs: number): Promise<void> => {
    if (await snooze(atMs)) dialog.current?.close()
  }
  const onKey = (event: KeyPress<HTMLDialogElement>): void => {
    if (event.target instanceof HTMLInputElement) return
    const buttons = [...event.currentTarget.querySelectorAll<HTMLButtonElement>('.menu button:enabled')]
    const at = buttons.findIndex((button) => button === document.activeElement)
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key]
    const chosen = choices[Number(event.key) - 1]
    if (step !== undefined) buttons.at((at + step) % buttons.length)?.focus()
    else if (chosen) void choose(chosen.atMs)
    else return
    event.preventDefault()
  }
  const endMs = (atMs: number): number | 'too late' => snoozeEndMs(atMs, now, asked.endsMs)
  const ownMs = Date.parse(own)
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- keys of its buttons, which it has all
    <dialog ref={dialog} className="sheet" aria-labelledby={title} onKeyDown={onKey}>
      <h2 id={title}>Snooze for yourself</h2>
      <div className="menu">
        {choices.map(({ name, atMs }, at) => {
          const end = endMs(atMs)
          return (
            <button
              key={name}
              type="button"
              className="button plain until"
              disabled={end === 'too late'}
              onClick={() => void choose(atMs)}
            >
              <kbd className="key">{at + 1}</kbd>
              <span>{name}</span>
              <span className="quiet">
                {end === 'too late' ? 'too late' : `${end < atMs ? 'back at ' : ''}${clockText(isoOf(end), now)}`}
              </span>
            </button>
          )
        })}
      </div>
      <form
        className="own"
        onSubmit={(event) => {
          event.preventDefault()
          if (!Number.isNaN(ownMs)) void choose(ownMs)
        }}
      >
        <input
          type="datetime-local"
          className="input"
          aria-label="A time of your own"
          value={own}
          onChange={(event) => setOwn(event.target.value)}
        />
        <button type="submit" className="button" disabled={Number.isNaN(ownMs)}>
          Until then
        </button>
      </form>
      <p className="small quiet">
        Only for you: others still see it, and it gets no answer by this.
        {asked.endsMs !== undefined &&
          ` Its time goes on until ${clockText(isoOf(asked.endsMs), now)}; it comes back ten minutes before that at the latest, or halfway where less than twenty are left.`}
      </p>
      {isSent && !contact.here && <p className="small">It is sent as soon as the server is in contact again.</p>}
      <Refusal problem={problem} look="small" />
      <form method="dialog" className="actions">
        <button type="submit" className="button">
          Close
        </button>
      </form>
    </dialog>
  )
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}

/** Both ways; `snooze` is true where it was accepted. */
function useSnooze({ session, ask }: Asked): {
  snooze: (atMs: number) => Promise<boolean>
  back: () => Promise<boolean>
  problem: Problem | undefined
  /** One of both is on its way. */
  isSent: boolean
} {
  const { link, me } = useLive()
  const [problem, setProblem] = useState<Problem>()
  const [isSent, setSent] = useState(false)
  const stream = accountStream(me.id)
  const told = async (sent: Promise<CommandOutcome>): Promise<boolean> => {
    setSent(true)
    const outcome = await sent
    setSent(false)
    setProblem(outcome.ok ? undefined : outcome.problem)
    return outcome.ok
  }
  return {
    snooze: (atMs) => told(link.command(stream, 'ask.snooze', { session, ask, until: isoOf(atMs) })),
    back: () => told(link.command(stream, 'ask.unsnooze', { session, ask })),
    problem,
    isSent,
  }
}
