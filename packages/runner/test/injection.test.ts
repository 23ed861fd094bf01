import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Step, scriptPrompt } from '@hotline/demo-agent/script'
import { limits } from '@hotline/protocol/limits'
import { shellPayloads } from '@hotline/testing/shell-payloads'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { type Bench, type BenchOptions, openBench } from './bench.ts'
import { profileOf } from './profile-of.ts'

/** A runner, and texts that would leave a file behind if anything of it ever asked a shell, or an option, about them. */
async function openTrap(options: (payloads: readonly string[]) => BenchOptions = () => ({})) {
  const dir = await openTempDir('hl-')
  const canary = join(dir.path, 'canary')
  const payloads = shellPayloads(canary)
  const bench = await openBench(options(payloads))
  return {
    ...bench,
    payloads,
    /** Nothing has happened. Called after each text, so that the one that did it is named. */
    unharmed: (text: string) => expect(existsSync(canary), `"${text}" was carried out`).toBe(false),
    [Symbol.asyncDispose]: async () => {
      await bench[Symbol.asyncDispose]()
      await dir.remove()
    },
  }
}

/** Several at a time: each waits for processes most of the time. */
async function each<T>(all: readonly T[], act: (one: T) => Promise<void>): Promise<void> {
  const left = [...all]
  const lane = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await act(one)
  }
  await Promise.all(Array.from({ length: 6 }, lane))
}

const over = (status: string): boolean => ['completed', 'failed', 'aborted'].includes(status)
const isOneLine = (text: string): boolean => !/[\u0000-\u001f]/.test(text)

/** Two levels down, so that `../..` stays in the test's own folder. */
function deepIn(bench: Bench, name: string): string {
  const folder = join(bench.cwd, name, 'a', 'b')
  mkdirSync(folder, { recursive: true })
  return folder
}

test('[R12] [T46] [T47] program, arguments, folder and title of a session are never read by a shell', async () => {
  await using trap = await openTrap()
  const { world, payloads } = trap
  const folders = deepIn(trap, 'folders')
  const programs = deepIn(trap, 'programs')
  const printf = ['/usr/bin/printf', '/bin/printf'].find(existsSync) ?? ''
  await each(payloads, async (text) => {
    // A program whose path is the text, in a folder whose path is the text; it prints its arguments between brackets.
    const program = `${programs}/${text}`
    mkdirSync(dirname(program), { recursive: true })
    symlinkSync(printf, program)
    const cwd = isOneLine(text) ? `${folders}/${text}` : folders
    mkdirSync(cwd, { recursive: true })
    const title = isOneLine(text) ? { title: text } : {}
    const session = world.start('command', { cwd, ...title, command: [program, '[%s]', '--', text] })
    await world.until(session, 'the end', ({ status }) => over(status))
    expect(world.printed(session).replaceAll('\r\n', '\n')).toBe(`[--][${text}]`)
    trap.unharmed(text)
  })
})

test('[R12] [T46] [T47] a program that is named so is looked for and not found; a name that is an option is refused', async () => {
  await using trap = await openTrap()
  const { world, cwd, payloads } = trap
  await each(payloads, async (text) => {
    if (text.startsWith('-')) {
      expect(() => world.start('command', { cwd, command: [text] })).toThrow('must start with a program')
    } else {
      const session = world.start('command', { cwd, command: [text, text] })
      await world.until(session, 'the end', ({ status }) => over(status))
      expect(world.state(session).status).toBe('failed')
    }
    trap.unharmed(text)
  })
})

test('[T46] [T47] names of agents, machines, projects, tasks and modes at the start are names, or refused', async () => {
  await using trap = await openTrap()
  const { world, cwd, payloads } = trap
  for (const text of payloads) {
    expect(() => world.start(text, { cwd }), text).toThrow('agent')
    for (const field of ['project', 'task', 'runner', 'mode']) {
      expect(() => world.start('demo', { cwd, [field]: text }), text).toThrow(field)
    }
  }
  trap.unharmed('one of them')
})

test('[T46] values in the environment of an agent are handed over as they are, and read by nobody', async () => {
  const nameOf = (at: number): string => `ODD_${at}`
  await using trap = await openTrap((payloads) => ({
    environment: { PATH: process.env['PATH'], LANG: payloads[0], TZ: payloads[1], USER: payloads[2] },
    profiles: [
      {
        ...profileOf('surrounded', {}),
        adapter: 'pty',
        argv: ['env', '--null'],
        asking: { by: 'settings' },
        set: Object.fromEntries(payloads.map((text, at) => [nameOf(at), text])),
      },
    ],
  }))
  const { world, cwd, payloads } = trap
  const session = world.start('surrounded', { cwd, unasked: true })
  await world.until(session, 'the end', ({ status }) => over(status))
  const told = new Set(world.printed(session).replaceAll('\r\n', '\n').split('\0'))
  expect(payloads.filter((text, at) => !told.has(`${nameOf(at)}=${text}`))).toEqual([])
  for (const [at, name] of ['LANG', 'TZ', 'USER'].entries()) expect(told).toContain(`${name}=${payloads[at]}`)
  trap.unharmed('one of them')
})

/** In pieces for as many agents: one that changes its mode too often by itself is given up. */
const pieces = (payloads: readonly string[], size: number): readonly (readonly string[])[] =>
  Array.from({ length: Math.ceil(payloads.length / size) }, (_, at) => payloads.slice(at * size, (at + 1) * size))

test('[R12] [T46] [T47] what people and agents write to each other is never read by a shell', async () => {
  await using trap = await openTrap()
  const { world, cwd, payloads } = trap
  await Promise.all(pieces(payloads, 40).map((some) => converse(some)))

  async function converse(texts: readonly string[]): Promise<void> {
    const session = world.start('demo', { cwd })
    await world.until(session, 'active', ({ status }) => status === 'active')
    let turns = 0
    const prompt = async (...steps: readonly Step[]): Promise<void> => {
      world.send(session, 'message.send', { text: scriptPrompt(steps) })
      await world.until(session, 'the turn', ({ counts }) => counts.turns > turns)
    }
    const ended = async (count = 1): Promise<void> => {
      turns += count
      await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === turns && !turn)
    }
    for (const [at, text] of texts.entries()) {
      // All that an agent can name: a tool, its title, input, place and output, options, a plan, a mode, a currency, …
      await prompt(
        { do: 'say', text },
        { do: 'think', text },
        { do: 'stderr', text },
        { do: 'plan', entries: [{ content: text }] },
        { do: 'mode', id: text },
        { do: 'usage', used: 1, size: 2, cost: { amount: 1, currency: text } },
        { do: 'tool', tool: `${text} ${at}`, title: text, kind: 'execute', input: { command: text }, output: text },
      )
      await ended()
      expect(world.said(session).endsWith(text)).toBe(true)
      await prompt({
        do: 'ask',
        title: text,
        tool: `ask ${text} ${at}`,
        kind: 'execute',
        input: { command: text, path: text },
        options: [
          { optionId: `${text} 1`, name: text, kind: 'allow_once' },
          { optionId: text, name: text, kind: 'reject_once' },
        ],
      })
      const asked = await world.ask(session)
      expect(asked.body).toMatchObject({ title: text })
      // The reason of the refusal is the next prompt.
      world.decide(session, asked, 'deny', text)
      await ended(2)
      await prompt({ do: 'question', message: text, schema: { type: 'object', title: text } })
      await world.until(session, 'a question', () => world.events(session, 'question.asked').length > at)
      const question = world.events(session, 'question.asked').at(-1)?.data.question ?? ''
      world.send(session, 'question.answer', { question, action: 'accept', content: { [text]: text } })
      await ended()
      expect(() => world.send(session, 'session.set_mode', { mode: text.slice(0, 100) })).toThrow('has no mode')
      trap.unharmed(text)
    }
    world.send(session, 'session.abort', { reason: texts[0] ?? '' })
    await world.until(session, 'the end', ({ status }) => over(status))
  }
})

test('[T46] an agent may call its modes as it likes', async () => {
  const named = (payloads: readonly string[]): readonly (readonly string[])[] =>
    pieces(
      payloads.filter((text) => text.length <= 100),
      40,
    )
  await using trap = await openTrap((payloads) => ({
    profiles: named(payloads).map((modes, at) => profileOf(`moody-${at}`, { modes: ['ask', ...modes] })),
  }))
  const { world, cwd, payloads } = trap
  await Promise.all(
    named(payloads).map(async (modes, at) => {
      const session = world.start(`moody-${at}`, { cwd })
      await world.until(session, 'its modes', (state) => state.status === 'active' && state.modes)
      for (const mode of modes) {
        world.send(session, 'session.set_mode', { mode })
        await world.until(session, 'an answer', ({ controls }) => controls.length === 0)
        trap.unharmed(mode)
      }
      const answered = world.types(session).filter((type) => type === 'control.done' || type === 'control.failed')
      expect(answered).toHaveLength(modes.length)
    }),
  )
  expect(named(payloads).flat().length).toBeGreaterThan(150)
})

test('[T46] what is typed into a terminal reaches its program and nothing before it', async () => {
  await using trap = await openTrap()
  const { world, cwd, payloads } = trap
  const session = world.start('command', { cwd, command: ['cat'] })
  await world.until(session, 'active', ({ status }) => status === 'active')
  for (const [at, text] of payloads.entries()) {
    const typed = text.replaceAll(/[\n\t]/g, ' ')
    world.send(session, 'input.send', { text: `${at}: ${typed}\n` })
  }
  const last = `${payloads.length - 1}: ${payloads.at(-1)}`
  // Twice: as it was typed, and from the program.
  await waitFor(() => world.printed(session).split(last).length === 3, { what: 'the last line', deadlineMs: 15_000 })
  trap.unharmed('one of them')
  world.send(session, 'session.abort', {})
  await world.until(session, 'the end', ({ status }) => over(status))
  expect(limits.personMessageChars).toBeGreaterThan(Math.max(...payloads.map(({ length }) => length)))
})

test('[R12] a folder whose name is a command line is only a folder', async () => {
  await using trap = await openTrap()
  const { world, cwd } = trap
  const odd = join(cwd, '-rf $(touch canary); `touch canary` && --help')
  mkdirSync(odd)
  const session = world.start('demo', { cwd: odd, prompt: scriptPrompt([{ do: 'run', argv: ['pwd'] }]) })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.events(session, 'step.finished').map(({ body }) => body?.output?.trim())).toEqual([odd])
  expect(existsSync(join(odd, 'canary')) || existsSync(join(cwd, 'canary'))).toBe(false)
})
