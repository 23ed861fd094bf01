import type { HeldRule, PolicyMatch, TemplateWord } from '@hotline/protocol/policy'
import { isOver } from './evaluate.ts'
import { foldPath, holdsPath } from './path.ts'
import { programOf } from './programs.ts'

/** Something about a rule that its writer may not have meant. */
export interface LintWarning {
  rule: string
  /** The other rule that it is about. */
  with?: string
  why: string
}

/** Looks over the rules that count for a project, in their order; none of it keeps a rule from counting. */
export function lintRules(rules: readonly HeldRule[], now: string): readonly LintWarning[] {
  return rules.flatMap((rule, at) => {
    if (isOver(rule.until, now)) return [{ rule: rule.rule, why: 'Its time is over; it counts for nothing.' }]
    const living = rules.filter(({ until }) => !isOver(until, now))
    const before = rules.slice(0, at).filter(({ until }) => !isOver(until, now))
    return [...shadowed(rule, living, before)]
  })
}

function* shadowed(rule: HeldRule, living: readonly HeldRule[], before: readonly HeldRule[]): Generator<LintWarning> {
  const same = before.find((other) => other.effect === rule.effect && isSame(other.match, rule.match))
  if (same) yield { rule: rule.rule, with: same.rule, why: 'Another rule says the same.' }
  if (rule.effect === 'deny') return
  for (const other of living) {
    if (other.effect !== 'deny' || !mayMeet(rule.match, other.match)) continue
    yield { rule: rule.rule, with: other.rule, why: 'Some of it is denied by another rule, and that wins.' }
  }
  // Between the two lists the stricter counts, and not the first.
  for (const other of rule.effect === 'allow' ? living : []) {
    if (other.of === rule.of || other.effect !== 'ask' || !mayMeet(rule.match, other.match)) continue
    const whose = other.of === 'server' ? 'of the server' : 'of the project'
    yield { rule: rule.rule, with: other.rule, why: `Some of it is asked because of a rule ${whose}, and that wins.` }
  }
  const first = before.find(
    ({ effect, match, of }) =>
      of === rule.of && effect !== 'deny' && effect !== rule.effect && mayMeet(rule.match, match),
  )
  if (first)
    yield { rule: rule.rule, with: first.rule, why: 'A rule before it is about some of the same, and counts there.' }
}

function isSame(one: PolicyMatch, other: PolicyMatch): boolean {
  const names = [...Object.keys(one), ...Object.keys(other)] as (keyof PolicyMatch)[]
  return names.every((name) => JSON.stringify(one[name]) === JSON.stringify(other[name]))
}

/** False only where no request can fit both. */
function mayMeet(one: PolicyMatch, other: PolicyMatch): boolean {
  for (const name of ['agent', 'tool', 'does', 'input', 'host'] as const) {
    if (one[name] !== undefined && other[name] !== undefined && one[name] !== other[name]) return false
  }
  if (one.command && other.command) {
    if (!commandsMeet(one.command, other.command) && !commandsMeet(other.command, one.command)) return false
  }
  if (one.path !== undefined && other.path !== undefined && !pathsMeet(one.path, other.path)) return false
  return !excludesCommands(one, other) && !excludesCommands(other, one)
}

/** `other` asks or denies: its words occur in what it is about. */
function commandsMeet(one: readonly TemplateWord[], other: readonly TemplateWord[]): boolean {
  const words = new Set(
    one.filter((word) => typeof word === 'string').flatMap((word) => [word.toLowerCase(), programOf(word)]),
  )
  const isOpen = one.some((word) => typeof word !== 'string')
  return other.every((word, at) => {
    if (typeof word !== 'string') return true
    return words.has(at === 0 ? programOf(word) : word.toLowerCase()) || (at > 0 && isOpen)
  })
}

function pathsMeet(one: string, other: string): boolean {
  const [a, b] = [foldPath(one), foldPath(other)]
  // One from the folder of the session, and one from the root: nobody knows where they meet.
  if (a.startsWith('/') !== b.startsWith('/')) return true
  return a === b || holdsPath(a, b) || holdsPath(b, a)
}

/** Words of a command can name a file or a host as well: only what is done tells them apart. */
function excludesCommands({ command }: PolicyMatch, { does }: PolicyMatch): boolean {
  return command !== undefined && does !== undefined && does !== 'run'
}
