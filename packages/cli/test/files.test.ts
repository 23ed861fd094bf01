import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exitCodes } from '@hotline/protocol/error'
import { expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()

async function run(cwd: string, ...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const hotline = startHotlineProcess(args, scene.env, { cwd })
  hotline.endInput()
  return await hotline.ended
}

const folder = (): string => mkdtempSync(join(scene.home.path, 'files-'))

it('[B120] send --attach sends files with a message, with a text or without', async () => {
  const hand = await scene.live.startSession()
  const cwd = folder()
  writeFileSync(join(cwd, 'plan.md'), '# Plan')
  writeFileSync(join(cwd, 'empty.txt'), '')
  expect(await run(cwd, 'send', hand.session, '--attach', 'plan.md', '--', 'Do', 'this.')).toMatchObject({ code: 0 })
  expect(await run(cwd, 'send', hand.session, '--attach', join(cwd, 'plan.md'))).toMatchObject({ code: 0 })
  const posted = async () => (await scene.live.stored(hand.session)).filter(({ type }) => type === 'message.posted')
  const attachments = [{ name: 'plan.md', type: 'text/markdown', bytes: 6 }]
  expect((await posted()).map(({ body }) => body)).toMatchObject([
    { text: 'Do this.', attachments },
    { text: '', attachments },
  ])
  const invalid = exitCodes.invalid
  expect(await run(cwd, 'send', hand.session)).toMatchObject({
    code: invalid,
    err: expect.stringContaining('--attach'),
  })
  for (const file of ['missing.txt', '.']) {
    const refused = await run(cwd, 'send', hand.session, '--attach', file)
    expect(refused).toMatchObject({ code: invalid, err: expect.stringContaining('no file') })
  }
  const empty = await run(cwd, 'send', hand.session, '--attach', 'plan.md', 'empty.txt', '--', 'x')
  expect(empty).toMatchObject({
    code: invalid,
    err: expect.stringContaining('"empty.txt" was not sent. The file is empty'),
  })
  expect(await posted()).toHaveLength(2)
  const { out } = await run(cwd, 'logs', hand.session)
  expect(out).toContain('Do this. [file: plan.md]')
})

it('[B121] files lists what came with messages, and download saves one whole, over nothing that is there', async () => {
  const hand = await scene.live.startSession()
  const cwd = folder()
  expect(await run(cwd, 'files', hand.session)).toMatchObject({ code: 0, out: 'no files\n' })
  const bytes = Buffer.alloc(2_000_000, 'some bytes')
  writeFileSync(join(cwd, 'large.bin'), bytes)
  await run(cwd, 'send', hand.session, '--attach', 'large.bin')
  const listed = await run(cwd, 'files', hand.session)
  expect(listed.out).toMatch(/^[0-9a-f]{12} +2000000 {2}application\/octet-stream {2}large\.bin\n$/)
  const digest = listed.out.slice(0, 12)
  const there = folder()
  expect(await run(there, 'download', hand.session, 'large.bin')).toMatchObject({ code: 0, out: 'large.bin\n' })
  expect(readFileSync(join(there, 'large.bin')).equals(bytes)).toBe(true)
  expect(await run(there, 'download', hand.session, digest, '-o', 'other.bin')).toMatchObject({ code: 0 })
  expect(readFileSync(join(there, 'other.bin')).equals(bytes)).toBe(true)
  writeFileSync(join(there, 'large.bin'), 'mine')
  const again = await run(there, 'download', hand.session, 'large.bin')
  expect(again).toMatchObject({ code: exitCodes.invalid, err: expect.stringContaining('--output') })
  expect(readFileSync(join(there, 'large.bin'), 'utf8')).toBe('mine')
  const shown = await run(there, 'download', hand.session, 'large.bin', '--output', '-')
  expect(shown.out.length).toBe(bytes.length)
  expect(await run(there, 'download', hand.session, 'none.bin')).toMatchObject({ code: exitCodes['not-found'] })
  expect(readdirSync(there).toSorted()).toEqual(['large.bin', 'other.bin'])
})
