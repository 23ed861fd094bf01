import { readExactly } from '@hotline/core/exact-text'
import { policyRequest } from '@hotline/core/policy/deed'
import { type WordToType, wordToType } from '@hotline/core/policy/shape'
import type { ApprovalItem } from '@hotline/core/transcript/item'
import { type ReactNode, type RefObject, useMemo } from 'react'
import { readAsked, textsOf } from './read-asked.ts'

/** The word that has to be typed before `text` is allowed, as it came or in place of that; undefined where none has to be. */
export function useWordToType(
  text: string | undefined,
  { request, risk }: ApprovalItem,
  agent: string,
): WordToType | undefined {
  return useMemo(() => {
    if (text === undefined || !request) return undefined
    // What is hidden in the escapes of JSON shows only where it is read.
    const isGrave = textsOf(readAsked(text, request)).some((one) => readExactly(one).grave)
    const wanted = wordToType(policyRequest(agent, request, text), risk)
    if (!isGrave) return wanted
    return { word: 'allow', why: 'It holds what deceives the eye.', isHigh: wanted?.isHigh ?? false }
  }, [text, request, risk, agent])
}

/** Whether it was typed; case and blanks around it do not matter. */
export function isTyped(wanted: WordToType | undefined, typed: string): boolean {
  return wanted === undefined || typed.trim().toLowerCase() === wanted.word.toLowerCase()
}

/** Where it is typed. Enter there allows what the button allows. */
export function WordField({
  wanted,
  box,
  typed,
  change,
  enter,
}: {
  wanted: WordToType
  box: RefObject<HTMLInputElement | null>
  typed: string
  change: (typed: string) => void
  enter: () => void
}): ReactNode {
  return (
    <label className="facts word">
      <span className="danger">{wanted.why}</span>
      <span>
        To allow it, type “<b className="mono">{wanted.word}</b>”
      </span>
      <input
        ref={box}
        className="input"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={typed}
        onChange={(event) => change(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') enter()
        }}
      />
    </label>
  )
}
