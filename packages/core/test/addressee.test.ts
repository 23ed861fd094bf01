import { addresseeOf } from '@hotline/core/task/addressee'
import type { TaskSessionPhase } from '@hotline/protocol/task'
import { describe, expect, test } from 'vitest'

const session = (name: string, agent: string, phase: TaskSessionPhase = 'at_work') => ({ session: name, agent, phase })

/** The newest first. */
const sessions = [
  session('s4', 'claude', 'completed'),
  session('s3', 'codex'),
  session('s2', 'claude', 'at_rest'),
  session('s1', 'my-agent_2', 'failed'),
]

describe('who a message to a card is for', () => {
  test.each([
    ['Go on.', 's4'],
    ['@codex go on', 's3'],
    ['Let @Codex look at it.', 's3'],
    ['(@codex) and @claude', 's3'],
    ['@claude: write the test', 's2'],
    // Whose sessions are all over hears nothing any more: it is spoken of.
    ['@my-agent_2 wrote this, look at it', 's4'],
    ['@codex.', 's3'],
    ['mail @codex.example or @codex@host', 's4'],
    // Nobody is meant by these.
    ['Ask dana@codex.example', 's4'],
    ['import x from "@codex/sdk"', 's4'],
    ['@param says what, @types/node too', 's4'],
    ['@nobody, then @codex', 's3'],
    ['@codexx', 's4'],
    ['npm i @codex/sdk', 's4'],
    ['@@codex', 's4'],
  ])('[MN1] “%s” goes to %s', (text, wanted) => {
    expect(addresseeOf(sessions, text)?.session).toBe(wanted)
  })

  test('[MN1] a card that nobody works on has nobody to write to', () => {
    expect(addresseeOf([], '@codex hello')).toBeUndefined()
  })

  test('[MN1] hundreds of signs are read in one pass', () => {
    expect(addresseeOf(sessions, `${'@'.repeat(100_000)}${' @x'.repeat(50_000)} @codex`)?.session).toBe('s3')
  })
})
