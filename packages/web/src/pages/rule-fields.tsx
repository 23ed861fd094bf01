import { readTemplate } from '@hotline/core/policy/read-template'
import { templateText } from '@hotline/core/policy/rule-words'
import { type Problem, problem as problemOf } from '@hotline/protocol/error'
import type { PolicyEffect, PolicyMatch } from '@hotline/protocol/policy'
import type { ReactNode } from 'react'

/** What a rule of a form is about; others are written at the command line. */
export type Subject = 'command' | 'path' | 'host'

/** What the fields of a rule hold. */
export interface RuleDraft {
  effect: PolicyEffect
  about: Subject
  /** As it is typed. */
  subject: string
  note: string
}

const effects = [
  ['deny', 'Deny'],
  ['ask', 'Ask a person'],
  ['allow', 'Allow'],
] as const
const subjects: readonly [Subject, string][] = [
  ['command', 'a command'],
  ['path', 'a file, or a folder with / at its end'],
  ['host', 'a host'],
]

/** The fields of a rule. `about` is said once, where it is no longer to be chosen. */
export function RuleFields({
  draft,
  change,
  mayChoose,
}: {
  draft: RuleDraft
  change: (draft: RuleDraft) => void
  mayChoose: 'what it is about' | 'the rest'
}): ReactNode {
  const { effect, about, subject, note } = draft
  return (
    <>
      <div className="times">
        <label className="field">
          <span>What happens</span>
          <select
            className="input"
            value={effect}
            onChange={({ target }) => change({ ...draft, effect: chosen(effects, target.value) ?? effect })}
          >
            {effects.map(([one, words]) => (
              <option key={one} value={one}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label className="field">
          <span>About</span>
          <select
            className="input"
            value={about}
            disabled={mayChoose === 'the rest'}
            onChange={({ target }) => change({ ...draft, about: chosen(subjects, target.value) ?? about })}
          >
            {subjects.map(([one, words]) => (
              <option key={one} value={one}>
                {words}
              </option>
            ))}
          </select>
        </label>
      </div>
      <label className="field">
        <span>As it is written: there are no patterns</span>
        <input
          className="input mono"
          value={subject}
          onChange={({ target }) => change({ ...draft, subject: target.value })}
          maxLength={1_000}
          required
          autoComplete="off"
          spellCheck={false}
        />
      </label>
      <label className="field">
        <span>{effect === 'deny' ? 'Why, for the agent and for people' : 'Why, for people'}</span>
        <input
          className="input"
          value={note}
          onChange={({ target }) => change({ ...draft, note: target.value })}
          maxLength={500}
        />
      </label>
    </>
  )
}

function chosen<T extends string>(choices: readonly (readonly [T, string])[], value: string): T | undefined {
  return choices.find(([one]) => one === value)?.[0]
}

/** What a rule of these fields is about, or why it is about nothing. */
export function matchOf({ about, subject }: Pick<RuleDraft, 'about' | 'subject'>): PolicyMatch | Problem {
  const text = subject.trim()
  if (about !== 'command') return { [about]: text }
  const read = readTemplate(text)
  return read.ok ? { command: [...read.words] } : problemOf('invalid_request', `It is no plain command: ${read.why}.`)
}

/** The one thing that a rule is about, as it is typed; undefined where the fields cannot say exactly this. */
export function subjectOf({ command, path, host }: PolicyMatch): { about: Subject; subject: string } | undefined {
  const texts = { command: command && templateText(command), path, host }
  const [only, ...more] = subjects.flatMap(([about]) => {
    const subject = texts[about]
    return subject === undefined ? [] : [{ about, subject }]
  })
  if (!only || more.length > 0) return undefined
  const read = matchOf(only)
  return JSON.stringify(read) === JSON.stringify({ [only.about]: { command, path, host }[only.about] })
    ? only
    : undefined
}
