import { type ReactNode, useEffect, useState } from 'react'

const shownMs = 1_500

/** Copies a text, and says for a moment that it did, or that the browser would not. */
export function CopyButton({
  text,
  what,
}: {
  /** Of what changes all the time it is asked for when it is wanted. */
  text: string | (() => string)
  what: string
}): ReactNode {
  const [said, setSaid] = useState<string>()
  useEffect(() => {
    if (said === undefined) return undefined
    const timer = setTimeout(() => setSaid(undefined), shownMs)
    return () => clearTimeout(timer)
  }, [said])
  return (
    <button
      type="button"
      className="copy"
      aria-label={said === undefined ? `Copy the ${what}` : undefined}
      onClick={() =>
        void navigator.clipboard.writeText(typeof text === 'string' ? text : text()).then(
          () => setSaid('copied'),
          () => setSaid('not allowed'),
        )
      }
    >
      {said ?? 'copy'}
    </button>
  )
}
