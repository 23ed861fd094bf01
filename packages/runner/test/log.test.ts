import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { turnOf } from '@hotline/core/session/state'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { type Bench, openBench } from './bench.ts'

/** What came of the file, and what was said of it. */
const said = ({ world }: Bench, session: string) => ({
  file: world.printed(session, 'file'),
  notes: world.printed(session, 'log'),
})

async function follow(bench: Bench, file: string, ...how: string[]): Promise<string> {
  const session = bench.world.start('log', { command: [file, ...how] })
  await bench.world.until(session, 'active', ({ status }) => status === 'active')
  return session
}

async function reads(bench: Bench, session: string, text: string): Promise<void> {
  await bench.world.until(session, JSON.stringify(text.slice(-60)), () => said(bench, session).file === text)
}

async function notes(bench: Bench, session: string, text: string): Promise<void> {
  await bench.world.until(session, text, () => said(bench, session).notes.includes(text))
}

test('[R42] a file is followed from its start or from its end, and is watched: nothing can be sent', async () => {
  await using bench = await openBench()
  const { world } = bench
  const file = join(bench.cwd, 'a log.txt')
  writeFileSync(file, 'one\ntwo\n')
  const whole = await follow(bench, file)
  const rest = await follow(bench, file, 'from-end')
  await reads(bench, whole, 'one\ntwo\n')
  await notes(bench, rest, `Following ${file} from byte 8.`)
  appendFileSync(file, 'three\n')
  await reads(bench, whole, 'one\ntwo\nthree\n')
  await reads(bench, rest, 'three\n')
  expect(turnOf(world.state(whole))).toBe('watched')
  expect(world.state(rest).title).toBe(file)
  expect(world.state(whole)).toMatchObject({ capabilities: { input: 'none', screen: false } })
  expect(world.state(whole).pid).toBeUndefined()
  expect(() => world.send(whole, 'message.send', { text: 'hello' })).toThrow('unsupported')
  expect(() => world.send(whole, 'input.send', { text: 'x' })).toThrow('unsupported')
  for (const session of [whole, rest]) world.send(session, 'session.complete', {})
  for (const session of [whole, rest]) {
    await world.until(session, 'the end', ({ status }) => status === 'completed')
  }
  expect(world.state(whole).exit).toEqual({ code: 0, signal: null })
})

test('[R42] lines that have not ended, characters in two pieces, and bytes that are none', async () => {
  await using bench = await openBench()
  const file = join(bench.cwd, 'log')
  writeFileSync(file, 'begun')
  const session = await follow(bench, file)
  await reads(bench, session, 'begun')
  appendFileSync(file, Buffer.from([0xf0, 0x9f]))
  appendFileSync(file, Buffer.from([0x98, 0x80, 0xff, 0xfe, 0x20, 0xc3]))
  await reads(bench, session, 'begun\u{1f600}\ufffd\ufffd ')
  appendFileSync(file, Buffer.from([0xa4, 0x0a, 0x00, 0xef, 0xbb, 0xbf, 0x21]))
  await reads(bench, session, 'begun\u{1f600}\ufffd\ufffd ä\n\u0000\ufeff!')
})

test('[R42] a file that is not there yet, or whose folder is not, is waited for and read from its start', async () => {
  await using bench = await openBench()
  const file = join(bench.cwd, 'later', 'log')
  const session = await follow(bench, file, 'from-end')
  await notes(bench, session, 'is not there. It is waited for.')
  mkdirSync(join(bench.cwd, 'later'))
  writeFileSync(file, 'first\n')
  await reads(bench, session, 'first\n')
})

test('[R42] what is no file is refused', async () => {
  await using bench = await openBench()
  for (const command of [['/dev/null'], [bench.cwd], ['/dev'], ['relative'], [join(bench.cwd, 'x'), 'backwards']]) {
    const session = bench.world.start('log', { command })
    await bench.world.until(session, 'a refusal', ({ status }) => status === 'failed')
    expect(bench.world.state(session).reason).toBe('start_failed')
  }
})

test('[R43] a file that is moved away is read to its end before the one that takes its name', async () => {
  await using bench = await openBench()
  const file = join(bench.cwd, 'log')
  writeFileSync(file, '1\n')
  const session = await follow(bench, file)
  await reads(bench, session, '1\n')
  const writer = openSync(file, 'a')
  renameSync(file, `${file}.1`)
  writeFileSync(file, '4\n')
  // Whoever writes has not heard of it yet.
  writeSync(writer, '2\n')
  writeSync(writer, '3')
  closeSync(writer)
  await reads(bench, session, '1\n2\n34\n')
  expect(said(bench, session).notes).toContain(`Following ${file} from its start: it is a new file.`)
  renameSync(file, `${file}.2`)
  await notes(bench, session, 'is gone. It is waited for.')
  appendFileSync(`${file}.2`, '5\n')
  await reads(bench, session, '1\n2\n34\n5\n')
  writeFileSync(file, '6\n')
  await reads(bench, session, '1\n2\n34\n5\n6\n')
})

test('[R43] of several rotations at once, those in between are named with what they hold', async () => {
  await using bench = await openBench()
  const file = join(bench.cwd, 'app.log')
  writeFileSync(`${file}.old`, 'long before\n')
  writeFileSync(file, 'a\n')
  utimesSync(`${file}.old`, 1, 1)
  const session = await follow(bench, file)
  await reads(bench, session, 'a\n')
  renameSync(file, `${file}.3`)
  for (const [number, text] of [
    [2, 'bb\n'],
    [1, 'ccc\n'],
  ] as const) {
    writeFileSync(file, text)
    renameSync(file, `${file}.${number}`)
  }
  writeFileSync(file, 'd\n')
  await reads(bench, session, 'a\nd\n')
  await notes(bench, session, '2 files that were written to before this one and not read')
  expect(said(bench, session).notes).toContain('app.log.2 (3 bytes), app.log.1 (4 bytes)')
  expect(said(bench, session).notes).not.toContain('app.log.old')
})

test('[R43] a file that is emptied, removed and made again goes on, and what could not be seen is said', async () => {
  await using bench = await openBench()
  const file = join(bench.cwd, 'log')
  writeFileSync(file, 'a line\n')
  const session = await follow(bench, file)
  await reads(bench, session, 'a line\n')
  copyFileSync(file, `${file}.1`)
  truncateSync(file)
  await notes(bench, session, 'was emptied. What was written to it after byte 7')
  appendFileSync(file, 'b\n')
  await reads(bench, session, 'a line\nb\n')
  // Emptied and longer than before by the time that it is looked at.
  writeFileSync(file, 'another line, and more\n')
  await reads(bench, session, 'a line\nb\nanother line, and more\n')
  rmSync(file)
  await notes(bench, session, 'is gone. It is waited for.')
  writeFileSync(file, 'c\n')
  await reads(bench, session, 'a line\nb\nanother line, and more\nc\n')
})

test('[R43] a file that cannot be read for a while is said to, once, and tried again', async () => {
  await using bench = await openBench()
  const file = join(bench.cwd, 'log')
  writeFileSync(file, 'a\n')
  const session = await follow(bench, file)
  await reads(bench, session, 'a\n')
  rmSync(file)
  symlinkSync(file, file)
  await notes(bench, session, 'cannot be read: ELOOP. It is tried again.')
  rmSync(file)
  writeFileSync(file, 'b\n')
  await reads(bench, session, 'a\nb\n')
  expect(said(bench, session).notes.split('ELOOP')).toHaveLength(2)
})

test('[R43] however it is written to and rotated, everything comes once and in order', async () => {
  const seed = randomSeed('log')
  const random = seededRandom(seed)
  await using bench = await openBench()
  const file = join(bench.cwd, 'log')
  writeFileSync(file, '')
  const session = await follow(bench, file)
  let wanted = ''
  let files = 0
  const note = 'it is a new file'
  for (let n = 1; n <= 120; n += 1) {
    const line = `${n} ${'äx🙂'.repeat(random.int(0, 400))}${random.float() < 0.2 ? '' : '\n'}`
    appendFileSync(file, line)
    wanted += line
    if (random.float() < 0.05) {
      files += 1
      renameSync(file, `${file}.${files}`)
      writeFileSync(file, '')
      // Two in one look would hide one of them from everybody who follows a name.
      await waitFor(() => said(bench, session).notes.split(note).length === files + 1, { what: 'the new file' })
    }
  }
  await reads(bench, session, wanted)
})

test('[R42] a file that is not read on waits for the server, and nothing of it is lost', async () => {
  await using bench = await openBench({ spoolBytes: 128 * 1024 })
  const { link } = bench
  const file = join(bench.cwd, 'log')
  writeFileSync(file, 'begin\n')
  const session = await follow(bench, file)
  await reads(bench, session, 'begin\n')
  link.cut()
  const lines = Array.from({ length: 100_000 }, (_, n) => `line ${n}\n`).join('')
  appendFileSync(file, lines)
  // It is a server that is away that it waits for, not the writer: the memory of the runner is what has a bound.
  link.mend()
  await reads(bench, session, `begin\n${lines}`)
})

test('[R44] a runner that is stopped lets go of a file without ending its session', async () => {
  await using bench = await openBench()
  const file = join(bench.cwd, 'log')
  writeFileSync(file, 'a\n')
  const session = await follow(bench, file)
  await reads(bench, session, 'a\n')
  await bench.stop()
  expect(bench.world.state(session).status).toBe('active')
  expect(bench.world.types(session).at(-1)).toBe('output.appended')
})
