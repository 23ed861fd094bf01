import { spawnSync } from 'node:child_process'
import { readCommand } from '@hotline/core/policy/read-command'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'

const seed = Number(process.env['HOTLINE_TEST_SEED'] ?? Date.now() % 2 ** 31)

it('[PO3] what is read is what a shell makes of it', () => {
  const word = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_@%+=:,./-]{1,6}$/),
    fc.stringMatching(/^'[ -&(-~]{0,6}'$/),
    fc.stringMatching(/^"[ #%-[\]-_a-~]{0,6}"$/),
    fc.stringMatching(/^[ -~]{1,6}$/),
  )
  const texts = fc.array(fc.array(word, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 4 })
  const lines: { text: string; argv: readonly string[] }[] = []
  fc.assert(
    fc.property(texts, (parts) => {
      const text = `x ${parts.map((pieces) => pieces.join('')).join(' ')}`
      const read = readCommand(text)
      if (read.ok) lines.push({ text, argv: read.argv.slice(1) })
    }),
    { numRuns: 2_000, seed, verbose: 1 },
  )
  expect(lines.length).toBeGreaterThan(200)
  for (const shell of ['/bin/sh', '/bin/bash']) {
    const script = `x() { for word in "$@"; do printf '%s\\0' "$word"; done; printf '\\n\\0'; }\n${lines.map(({ text }) => text).join('\n')}\n`
    const { stdout, status } = spawnSync(shell, ['-c', script], { encoding: 'utf8' })
    expect(status).toBe(0)
    const seen = stdout.split('\n\0').slice(0, -1)
    expect(seen).toEqual(lines.map(({ argv }) => argv.map((one) => `${one}\0`).join('')))
  }
})
