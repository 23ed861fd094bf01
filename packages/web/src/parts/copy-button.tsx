import { type ReactNode, useEffect, useState } from 'react'

const shownMs = 1_500

/** Copies a text, and says for a moment that it did, or that the browser would not. */
export function CopyButton({ text, what }: { text: string; what: string }): ReactNode {
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
        void navigator.clipboard.writeText(text).then(
          () => setSaid('copied'),
          () => setSaid('not allowed'),
        )
      }
    >
      {said ?? 'copy'}
    </button>
  )
}
