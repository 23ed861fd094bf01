import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { uuidV7 } from '@hotline/client/uuid'
import { httpRequest } from '@hotline/client/http-request'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { startLiveServer } from '@hotline/testing/live-server'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { beforeAll, describe, expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()
let hand: HandRunner

beforeAll(async () => {
  hand = await scene.live.startSession('Mend the gate')
  const asked = await hand.ask({ tool: 'bash', title: '=1+1', input: 'make' })
  const data = { ...asked, verdict: 'deny', scope: 'once', reason: 'Not today.' }
  const command = { id: uuidV7(), stream: hand.stream, type: 'approval.decide', data }
  const { url, token } = scene.live
  expect(await httpRequest(url, { kind: 'token', token }, 'POST', '/api/commands', command)).toMatchObject({ ok: true })
})

async function run(
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
  typed?: string,
): Promise<{ code: number | null; out: string; err: string }> {
  const hotline = startHotlineProcess(['audit', ...args], {
    ...scene.env,
    HOTLINE_DATA_DIR: scene.live.dataDir,
    ...more,
  })
  if (typed !== undefined) hotline.type(typed)
  hotline.endInput()
  return await hotline.ended
}

function file(name: string, text: string): string {
  const path = join(scene.home.path, name)
  writeFileSync(path, text)
  return path
}

describe('hotline audit', () => {
  it('[AU2] lists who decided what, and finds it by text and by the beginning of the session', async () => {
    const { out, code } = await run(['ls', '--session', hand.session, '--text', 'not today'])
    expect(code).toBe(0)
    expect(out).toMatch(
      /^\S+Z {2}dana: denied - Not today\. \[Mend the gate · =1\+1\] \(api:\S+, (127\.0\.0\.1|::1)\)\n$/,
    )
    const all = (await run([])).out.split('\n')
    expect(all.findIndex((line) => line.includes('demo started'))).toBeLessThan(
      all.findIndex((line) => line.includes('Not today')),
    )
    expect((await run(['--group', 'everything'])).code).toBe(2)
  })

  it('[AU4] exports a table without formulas, and lines of JSON', async () => {
    const table = await run(['export', '--csv', '--group', 'decision'])
    expect(table.out).toContain(",'=1+1,")
    const lines = await run(['export', '--type', 'approval.resolved'])
    expect(JSON.parse(lines.out)).toMatchObject({ outcome: 'denied - Not today.' })
  })

  it('[AU5] [AU6] exports the chain and proves it without a server, and names what was changed', async () => {
    const { out, err } = await run(['export', '--chain', '--session', hand.session])
    expect(err).toBe('')
    const away = { HOTLINE_URL: 'http://127.0.0.1:9', HOTLINE_DATA_DIR: scene.home.path }
    const well = await run(['verify', file('chain', out)], away)
    expect(well).toMatchObject({ code: 0, err: '' })
    expect(well.out).toContain(`events in 1 stream of ${hand.stream} hold.\n`)
    const bad = await run(['verify', file('changed', out.replace('Not today.', 'Go ahead.'))], away)
    expect(bad.code).toBe(1)
    const seq = (await scene.live.stored(hand.session)).find(({ type }) => type === 'approval.resolved')?.seq
    expect(bad.out).toMatch(`FAIL ${hand.stream} event ${seq}: its bytes do not give its hash\n`)
    const asJson = await run(['--json', 'verify', file('cut', out.split('\n').slice(0, 4).join('\n'))], away)
    expect(JSON.parse(asJson.out)).toMatchObject({ events: 2, faults: [{ stream: hand.stream, seq: 3 }] })
    expect((await run(['export', '--chain'])).code).toBe(2)
    expect((await run(['export', '--chain', '--all', '--text', 'x'])).code).toBe(2)
    expect((await run(['verify', 'no-such-file'], away)).code).toBe(4)
  })

  it('[AU7] [AU8] [AU11] finds with signed heads what a whole chain cannot tell', async () => {
    await using dir = await openTempDir()
    const heads = join(dir.path, 'heads')
    await using live = await startLiveServer({
      env: { HOTLINE_AUDIT_HEADS_FILE: heads, HOTLINE_AUDIT_HEADS_EVENTS: '1' },
    })
    const env = { HOTLINE_URL: live.url, HOTLINE_TOKEN: live.token, HOTLINE_DATA_DIR: live.dataDir }
    const { session, stream } = await live.startSession()
    const stored = await live.stored(session)
    const isSigned = (): boolean => readFileSync(heads, 'utf8').includes(`"stream":"${stream}"`)
    await waitFor(isSigned, { what: 'a head of the session' })
    const key = (await run(['key'], env)).out.trim()
    const { out } = await run(['export', '--chain', '--session', session], env)
    const proof = ['--heads', heads, '--key', key]
    const well = await run(['verify', file('signed', out), ...proof])
    expect(well).toMatchObject({ code: 0, err: '' })
    expect(well.out).toMatch(/ hold, and [1-9][0-9]* signed heads fit\.\n$/)
    expect(await run(['verify', ...proof], env)).toMatchObject({ code: 0 })

    // As one would who knows the format: what is left says that it is all.
    const lines = out.trimEnd().split('\n')
    const first = JSON.parse(lines[2] ?? '') as { hash: string }
    const named = { ...(JSON.parse(lines[1] ?? '') as object), head: 1, hash: first.hash }
    const cut = [lines[0], JSON.stringify(named), lines[2], JSON.stringify({ end: { streams: 1, events: 1 } }), '']
    expect(await run(['verify', file('cut-well', cut.join('\n'))])).toMatchObject({ code: 0 })
    const found = await run(['verify', file('cut-well', cut.join('\n')), ...proof])
    expect(found.code).toBe(1)
    expect(found.out).toMatch(
      new RegExp(`^FAIL ${stream} event 2: the end was cut off: event ${stored.length} was signed at `),
    )
    expect((await run(['verify', '--heads', heads], env)).code).toBe(2)

    expect((await run(['rotate-key'], env)).code).toBe(3)
    const rotated = await run(['rotate-key', '--with-password'], env, 'a long walk over the wet meadow')
    const [next = '', before = ''] = rotated.out.split('\n')
    expect(before).toMatch(new RegExp(`^${key} until 20`))
    expect((await run(['key'], env)).out).toBe(rotated.out)
    await waitFor(() => readFileSync(heads, 'utf8').includes('"hotline":"key 1"'), { what: 'the change of the key' })
    for (const known of [key, next]) {
      expect(await run(['verify', '--heads', heads, '--key', known], env)).toMatchObject({ code: 0, err: '' })
    }
    const other = `ed25519:${'A'.repeat(43)}`
    expect((await run(['verify', '--heads', heads, '--key', other], env)).err).toContain('was not signed with this key')
  })

  it('[AU6] proves the log of a server at work, and one that was put aside and changed', async () => {
    const well = await run(['verify'])
    expect(well.code).toBe(0)
    expect(well.out).toMatch(/^[0-9]+ events in [0-9]+ streams hold\.\nWhoever can write the log/)
    const dir = join(scene.home.path, 'aside')
    mkdirSync(dir, { mode: 0o700 })
    const source = new DatabaseSync(join(scene.live.dataDir, 'hotline.db'), { readOnly: true })
    source.prepare('VACUUM INTO ?').run(join(dir, 'hotline.db'))
    source.close()
    const copied = new DatabaseSync(join(dir, 'hotline.db'))
    copied.exec(`UPDATE events SET body = CAST(replace(CAST(body AS TEXT), 'Not today', 'Yes,today') AS BLOB)
      WHERE type = 'approval.resolved'`)
    copied.close()
    const { code, out } = await run(['verify'], { HOTLINE_DATA_DIR: dir })
    expect(code).toBe(1)
    expect(out).toMatch(new RegExp(`^FAIL ${hand.stream} event [0-9]+: its bytes do not give its hash\n`))
    expect((await run(['verify'], { HOTLINE_DATA_DIR: scene.home.path })).code).toBe(4)
  })
})
