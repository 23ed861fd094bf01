import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { expect, test } from 'vitest'
import { openBench } from './bench.ts'

/** Ways in which a text becomes a command where somebody asks a shell. `CANARY` is replaced by a path. */
const payloads: readonly string[] = [
  '$(touch CANARY)',
  '`touch CANARY`',
  '; touch CANARY',
  '| touch CANARY',
  '|| touch CANARY',
  '&& touch CANARY',
  '& touch CANARY',
  '\ntouch CANARY\n',
  "'; touch CANARY; '",
  '"; touch CANARY; "',
  '> CANARY',
  '>> CANARY',
  '${IFS}touch${IFS}CANARY',
  '<(touch CANARY)',
  '{touch,CANARY}',
  '!touch CANARY',
  '\\\ntouch CANARY',
  '%0atouch CANARY',
  '\u0000touch CANARY',
  '~+/../$(touch CANARY)',
  '*;touch CANARY',
  '$((`touch CANARY`))',
  'a\ttouch CANARY',
  '-x',
  '--upload-pack=touch CANARY',
  '--output=CANARY',
  '-oProxyCommand=touch CANARY',
  '--exec=touch CANARY',
  '-c touch CANARY',
  '--eval=require("fs").writeFileSync("CANARY","")',
]

/** Every field of a session that the runner reads, each with each payload: more than 200 in all. */
const fields = ['argument', 'program', 'cwd', 'title', 'message', 'mode', 'reason'] as const

test('the payloads are real: a shell would run them', () => {
  for (const payload of ['$(touch CANARY)', '; touch CANARY', '`touch CANARY`']) expect(payloads).toContain(payload)
  const folder = mkdtempSync(join(tmpdir(), 'hotline-canary-'))
  spawnSync('/bin/sh', ['-c', `echo ${(payloads[0] ?? '').replaceAll('CANARY', join(folder, 'canary'))}`])
  expect(readdirSync(folder)).toEqual(['canary'])
  rmSync(folder, { recursive: true })
})

test('[R12] [T46] [T47] no field of a session is ever seen by a shell, or taken for an option', async () => {
  await using bench = await openBench()
  const { world, cwd, dataDir } = bench
  const canary = join(dataDir, 'canary')
  const words: string[] = []
  let tried = 0
  for (const field of fields) {
    for (const payload of payloads) {
      const text = payload.replaceAll('CANARY', canary)
      tried += 1
      if (field === 'argument') {
        // The program prints its arguments, each between brackets: they arrive as they are.
        if (text.includes('\0')) continue
        const session = world.start('command', { cwd, command: ['printf', '[%s]', '--', text] })
        await world.until(session, 'the end', ({ status }) => status === 'completed')
        expect(world.printed(session).replaceAll('\r\n', '\n')).toBe(`[--][${text}]`)
        continue
      }
      try {
        if (field === 'program') await ended(world.start('command', { cwd, command: [text] }))
        if (field === 'cwd') await ended(world.start('command', { cwd: `${cwd}/${text}`, command: ['true'] }))
        if (field === 'mode') await ended(world.start('demo', { cwd, mode: text }))
        if (field === 'title') await ended(world.start('command', { cwd, title: text, command: ['true'] }))
      } catch (error) {
        // Refused before it reaches a runner: that is as good.
        expect(String(error)).toMatch(/must|invalid/i)
      }
      if (field === 'message') words.push(text)
    }
  }
  // Words go to an agent as words: one session hears them all, as messages and as reasons.
  await bench.script([{ do: 'ask', title: 'Go on', kind: 'execute', input: { command: 'true' } }])
  const session = world.start('scripted', { cwd })
  for (const [at, text] of words.entries()) {
    world.send(session, 'message.send', { text })
    world.decide(session, await world.ask(session), 'deny', text)
    await world.until(session, 'the reason as a turn', ({ counts }) => counts.turns === 2 * at + 2)
    world.decide(session, await world.ask(session), 'deny')
    await world.until(session, 'the end of the turn', ({ turn }) => !turn)
  }
  expect(tried).toBeGreaterThanOrEqual(200)
  expect(readdirSync(dataDir)).not.toContain('canary')

  async function ended(id: string): Promise<void> {
    await world.until(id, 'the end', ({ status }) => ['completed', 'failed'].includes(status))
  }
})

test('[R12] a folder whose name is a command line is only a folder', async () => {
  await using bench = await openBench()
  const { world, cwd, dataDir } = bench
  const canary = join(dataDir, 'canary')
  const odd = join(cwd, '-rf $(touch canary); `touch canary` && --help')
  mkdirSync(odd)
  const session = world.start('demo', { cwd: odd, prompt: scriptPrompt([{ do: 'run', argv: ['pwd'] }]) })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.events(session, 'step.finished').map(({ body }) => body?.output?.trim())).toEqual([odd])
  expect(readdirSync(dataDir)).not.toContain(canary)
})
