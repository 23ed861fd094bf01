import { approvalDigest, contextDigest } from '@hotline/core/approval-digest'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { randomSeed } from '@hotline/testing/seed'
import { activeLog, code, dana, type Log, sha256 } from './fixtures.ts'

/** All that a decision is bound to. */
interface Bound {
  session: string
  adapter: string
  tool: string
  cwd: string
  envName: string
  input: string
}

const bound: readonly (keyof Bound)[] = ['session', 'adapter', 'tool', 'cwd', 'envName', 'input']

function contextOf({ session, adapter, tool, cwd, envName }: Bound): string {
  return contextDigest(session, adapter, { tool, cwd, envNames: [envName] }, sha256)
}

const digestOf = (what: Bound): string => approvalDigest(contextOf(what), sha256(what.input), sha256)

function ask(log: Log, what: Bound): void {
  const { tool, cwd, envName, input } = what
  const decision = log.report({
    type: 'approval.requested',
    data: {
      approval: 'a1',
      digest: digestOf(what),
      contextDigest: contextOf(what),
      verdicts: ['allow', 'deny'],
      scopes: ['once'],
      strength: 'enforced',
    },
    body: { tool, title: 'Run', input, cwd, envNames: [envName] },
  })
  expect(decision).toMatchObject({ ok: true, facts: {} })
}

/** Another text: one character of it is replaced, added or taken away. */
function changed(text: string, place: number, how: 'replace' | 'add' | 'remove', by: string): string {
  const letters = Array.from(text)
  const at = letters.length === 0 ? 0 : place % letters.length
  letters.splice(at, how === 'add' || letters.length === 0 ? 0 : 1, ...(how === 'remove' && text !== '' ? [] : [by]))
  return letters.join('')
}

it('[T19] who was shown anything else, by one character of any part, decides nothing', () => {
  const seed = randomSeed('consent')
  const text = fc.string({ unit: 'binary', maxLength: 200 }).map((one) => one.toWellFormed())
  const property = fc.property(
    fc.record({ tool: fc.string({ minLength: 1, maxLength: 40 }), cwd: text, envName: text, input: text }),
    fc.constantFrom(...bound),
    fc.nat(),
    fc.constantFrom('replace' as const, 'add' as const, 'remove' as const),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
    (request, part, place, how, by) => {
      const what: Bound = { session: 's1', adapter: 'demo', ...request }
      const shown: Bound = { ...what, [part]: changed(what[part], place, how, by) }
      fc.pre(shown[part] !== what[part])
      const log = activeLog()
      ask(log, what)
      const before = log.events.length
      for (const verdict of ['allow', 'deny'] as const) {
        expect(code(log.send(dana, 'approval.decide', { approval: 'a1', digest: digestOf(shown), verdict }))).toBe(
          'digest_mismatch',
        )
      }
      expect(log.events).toHaveLength(before)
      // And with what it is, it counts.
      expect(
        code(log.send(dana, 'approval.decide', { approval: 'a1', digest: digestOf(what), verdict: 'allow' })),
      ).toBe('ok')
    },
  )
  fc.assert(property, { seed: seed | 0, numRuns: 1_000 })
})
