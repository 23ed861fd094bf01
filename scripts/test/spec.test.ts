import { existsSync, globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** `[S1] text` at the start of a line of SPEC.md. */
function rules(): string[] {
  return [...readFileSync('SPEC.md', 'utf8').matchAll(/^- \[([A-Z]+\d+)\] /gm)].map((match) => match[1] ?? '')
}

/** Ids at the start of test titles. */
function citations(): Map<string, string> {
  const cited = new Map<string, string>()
  for (const file of globSync([
    'packages/*/test/**/*.{ts,tsx}',
    'packages/testing/src/**/*.ts',
    'e2e/{src,test,agents}/**/*.ts',
    'scripts/test/**/*.ts',
  ])) {
    for (const match of readFileSync(file, 'utf8').matchAll(/['"`]((?:\[[A-Z]+\d+\] ?)+)/g)) {
      for (const id of (match[1] ?? '').matchAll(/\[([A-Z]+\d+)\]/g)) cited.set(id[1] ?? '', file)
    }
  }
  return cited
}

describe('SPEC.md', () => {
  it('[W3] every rule is cited by a test, and every test cites a rule that exists', () => {
    const ruled = rules()
    const cited = citations()
    expect(new Set(ruled).size).toBe(ruled.length)
    expect(ruled.filter((id) => !cited.has(id))).toEqual([])
    // T, H, J, W0x: rows of the catalogue of threats and inputs, listed in SPEC.md as rules too.
    expect([...cited].filter(([id]) => !ruled.includes(id)).map(([id, file]) => `${id} in ${file}`)).toEqual([])
  })

  it('[W4] docs/features.md has a row for each part of the mission, and the files it names exist', () => {
    const rows = [...readFileSync('docs/features.md', 'utf8').matchAll(/^\| ([A-G]\d+) \|(.*)\|$/gm)]
    const ids = rows.map((row) => row[1] ?? '')
    const wanted = { A: 10, B: 9, C: 6, D: 13, E: 9, F: 8, G: 7 }
    expect(ids).toEqual(
      Object.entries(wanted).flatMap(([letter, count]) =>
        Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
      ),
    )
    for (const row of rows) {
      const [, state = '', where = '', test = ''] = (row[2] ?? '').split('|').map((cell) => cell.trim())
      expect(['works', 'partly', 'not yet']).toContain(state)
      for (const path of [...`${where} ${test}`.matchAll(/`([^`]+\.(?:md|ts|tsx))`/g)].map((match) => match[1] ?? '')) {
        expect(existsSync(path), `${row[1]}: ${path}`).toBe(true)
      }
      if (state === 'works') expect(test, `${row[1]} works but names no test`).toMatch(/`/)
    }
  })
})
