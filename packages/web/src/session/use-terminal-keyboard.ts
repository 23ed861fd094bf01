import type { SessionView } from '@hotline/client/session-view'
import { uuidV7 } from '@hotline/client/uuid'
import type { SessionState } from '@hotline/core/session/state'
import type { Problem } from '@hotline/protocol/error'
import { useEffect, useRef, useState } from 'react'

/** Who types into a terminal, as this window sees it. */
export interface TerminalKeyboard {
  /** The name of this window's keyboard; undefined while it has none. */
  readonly mine: string | undefined
  /** Somebody else who has it, or another window of the same person. */
  readonly other: NonNullable<SessionState['keyboard']> | undefined
  take(size: { cols: number; rows: number } | undefined): void
  giveBack(): void
}

/**
 * The one keyboard of a terminal. What is typed after it was taken comes after that in the session's log, so nobody has to
 * wait for the answer; it is given back with the window, and gone when somebody else takes it.
 */
export function useTerminalKeyboard(
  view: SessionView,
  held: SessionState['keyboard'],
  refused: (problem: Problem) => void,
): TerminalKeyboard {
  const [own] = useState(() => uuidV7())
  const [isWanted, setWanted] = useState(false)
  const had = useRef(false)
  const isHere = held?.keyboard === own
  if (isHere) had.current = true

  useEffect(() => {
    // It was here, and is not any more: somebody took it, or the program has gone.
    if (isHere || !had.current) return
    had.current = false
    setWanted(false)
  }, [isHere])

  const wanted = useRef(isWanted)
  wanted.current = isWanted
  useEffect(() => {
    const leave = (): void => {
      if (wanted.current) void view.command('terminal.release', { keyboard: own })
    }
    window.addEventListener('pagehide', leave)
    return () => {
      window.removeEventListener('pagehide', leave)
      leave()
    }
  }, [view, own])

  return {
    mine: isWanted ? own : undefined,
    other: held && !isHere ? held : undefined,
    take: (size) => {
      setWanted(true)
      void view.command('terminal.take', { keyboard: own, ...(size ? { size } : {}) }).then((outcome) => {
        if (outcome.ok) return
        setWanted(false)
        refused(outcome.problem)
      })
    },
    giveBack: () => {
      setWanted(false)
      had.current = false
      void view.command('terminal.release', { keyboard: own })
    },
  }
}
