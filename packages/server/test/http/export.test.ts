import type { HandRunner } from '@hotline/testing/hand-runner'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Callers, openCallers } from './callers.ts'

let callers: Callers
let hand: HandRunner
beforeAll(async () => {
  callers = await openCallers()
  hand = await callers.server.startSession('A title with *stars* <b>')
})
afterAll(() => callers[Symbol.asyncDispose]())

const download = async (query: string, session = hand.session): Promise<Response> =>
  fetch(new URL(`/api/sessions/${session}/export${query}`, callers.server.url), {
    headers: { authorization: `Bearer ${callers.server.token}` },
  })

describe('a session that is taken away', () => {
  it('[EP1] is a Markdown document of what was said, asked and done, in which nobody can pose as somebody else', async () => {
    const says =
      'First line\n# A heading\n\n**dana** · 2026-01-01\r> quoted\u2028---\n```\nnever \u001b[2Jclosed \u202e'
    await hand.report(
      { type: 'message.posted', data: { message: 'm1', role: 'agent', queued: false, chars: 1 }, body: { text: says } },
      { type: 'step.started', data: { step: 's1', kind: 'execute' }, body: { title: 'npm test\n# nothing' } },
      { type: 'step.finished', data: { step: 's1', outcome: 'failed' }, body: { error: '[x](http://evil) `code`' } },
      {
        type: 'output.appended',
        data: { source: 'stdout', encoding: 'utf8', bytes: 4 },
        body: { text: 'far too much' },
      },
      { type: 'question.asked', data: { question: 'q1' }, body: { text: 'Which port?' } },
    )
    const { approval, digest } = await hand.ask({ tool: 'bash', title: 'Clean up', input: 'echo ````\n- no item' })
    const deny = { approval, digest, verdict: 'deny', reason: 'not <here>' }
    await callers.command(callers.owner, hand.stream, 'approval.decide', deny)
    const answer = await download('')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/markdown; charset=utf-8')
    expect(answer.headers.get('content-disposition')).toBe(`attachment; filename="session-${hand.session}.md"`)
    const text = await answer.text()
    // Times and ids are others in each run.
    const plain = text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME').replaceAll(hand.session, 'SESSION')
    expect(plain.replace(/up to [a-z0-9]{8}\.\d+/, 'up to CURSOR')).toMatchInlineSnapshot(`
      "# A title with \\*stars\\* \\<b\\>

      - Session: SESSION
      - Agent: demo
      - Project: default
      - Begun: TIME
      - Status: active

      ## What happened

      - TIME · Status: queued -\\> starting (claimed)
      - TIME · Status: starting -\\> active (agent ready)

      **Agent** · TIME

      > First line
      > # A heading
      >
      > **dana** · 2026-01-01
      > > quoted
      > ---
      > \`\`\`
      > never \\u{1b}[2Jclosed \\u{202e}

      - TIME · execute: npm test \\# nothing
      - TIME · failed: \\[x\\](http://evil) \\\`code\\\`
      - TIME · Waiting for input: Which port?
      - TIME · The agent asks: Clean up

        \`\`\`\`\`
        echo \`\`\`\`
        - no item
        \`\`\`\`\`

      - TIME · denied by dana: not \\<here\\>

      ---
      The whole conversation up to CURSOR.
      "
    `)
    // Outside of quotes and fences there is no line that anybody but the server has begun.
    const begun = plain.split('\n').filter((line) => !/^(> ?|- |\s{2}|\*\*|$)/.test(line))
    expect(begun).toEqual([
      String.raw`# A title with \*stars\* \<b\>`,
      '## What happened',
      '---',
      expect.stringMatching(/^The whole/),
    ])
  })

  it('[EP2] is a JSON document with every event as the log has it', async () => {
    const answer = await download('?format=json')
    expect(answer.headers.get('content-type')).toBe('application/json')
    const whole = (await answer.json()) as { session: string; cursor: string; events: { seq: number }[] }
    const stored = await callers.server.stored(hand.session)
    expect(whole).toMatchObject({ session: hand.session, title: 'A title with *stars* <b>', agent: 'demo' })
    expect(whole.events).toEqual(stored)
    expect(whole.cursor.endsWith(`.${stored.length}`)).toBe(true)
  })

  it('[EP2] comes whole where it is longer than any page, and only to who may read it', async () => {
    const long = await callers.server.startSession('Long')
    for (let page = 0; page < 6; page += 1) {
      const data = { source: 'stdout', encoding: 'utf8', bytes: 3 } as const
      await long.report(
        ...Array.from({ length: 200 }, (_, n) => ({
          type: 'output.appended' as const,
          data,
          body: { text: `${page}-${n}\n` },
        })),
      )
    }
    const { events } = (await (await download('?format=json', long.session)).json()) as { events: { seq: number }[] }
    expect(events).toEqual(await callers.server.stored(long.session))
    expect(events.length).toBeGreaterThan(1_200)
    expect((await download('?format=pdf')).status).toBe(400)
    expect((await download('', 'nobodys')).status).toBe(404)
  })
})
