import { describe, expect, it } from 'vitest'
import { kindWord, timesText, toolWord } from '../src/session/step-words.ts'

describe('the line of a step', () => {
  it.each([
    ['execute', 'npm test', 'Run'],
    ['execute', 'Run node --version', ''],
    ['edit', 'greeting.md', 'Edit'],
    ['edit', 'Write greeting.md', ''],
    ['fetch', 'https://example.org', 'Fetch'],
    ['read', 'Reads nothing', 'Read'],
    ['other', 'Something', ''],
    ['of-a-later-version', 'Something', ''],
    ['constructor', 'Something', ''],
  ])('[G62] of kind %s that is named "%s" begins with "%s"', (kind, title, word) => {
    expect(kindWord(kind, title)).toBe(word)
  })

  it.each([
    ['execute', 3, 'ran 3 commands'],
    ['edit', 1, 'edited 1 file'],
    ['search', 4, 'searched 4 times'],
    ['other', 3, 'did 3 steps'],
  ] as const)('[G10] many of kind %s that stand in one line are said in words', (kind, count, text) => {
    expect(timesText(kind, count)).toBe(text)
  })

  it("[G62] an agent's own name of a tool stands as it is, a kind as a word", () => {
    expect(toolWord('Bash', 'Run it')).toBe('Bash')
    expect(toolWord('execute', 'npm test')).toBe('Run')
    expect(toolWord('execute', 'Run npm test')).toBe('')
  })
})
