import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { exitCodes } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import type { KeyRow, SessionRow } from '@hotline/protocol/http'
import { handCapabilities, type HandRunner } from '@hotline/testing/hand-runner'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HotlineProcess, startHotlineProcess } from './hotline-process.ts'

let live: LiveServer
let home: TempDir

beforeAll(async () => {
  live = await startLiveServer()
  home = await openTempDir()
  mkdirSync(join(live.dataDir, 'runner'))
  writeFileSync(join(live.dataDir, 'runner', 'id'), 'a-runner-that-is-away\n')
})
afterAll(async () => {
  await live[Symbol.asyncDispose]()
  await home.remove()
})

function start(args: readonly string[], more: Readonly<Record<string, string>> = {}): HotlineProcess {
  return startHotlineProcess(args, {
    HOME: home.path,
    HOTLINE_DATA_DIR: live.dataDir,
    HOTLINE_URL: live.url,
    HOTLINE_TOKEN: live.token,
    ...more,
  })
}

/** Runs it to its end, with nothing to read. */
async function run(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const hotline = start(args, more)
  hotline.endInput()
  return await hotline.ended
}

const typesOf = async ({ session }: HandRunner): Promise<string[]> =>
  (await live.stored(session)).map(({ type }) => type)

/** Decisions in the log: the outcome and the reason. */
const resolvedOf = async ({ session }: HandRunner): Promise<unknown[]> =>
  (await live.stored(session))
    .filter(({ type }) => type === 'approval.resolved')
    .map(({ data, body }) => [data['outcome'], body?.['reason']])

describe('sessions from the command line', () => {
  it('[B21] send --now and /now write into the turn that runs, where the agent takes that', async () => {
    const runner = await live.startSession('In the middle')
    await runner.report({ type: 'turn.started', data: { turn: 't1' } })
    const refused = await run(['send', '--now', runner.session, 'turn', 'left'])
    expect(refused).toMatchObject({ code: exitCodes.unsupported })
    expect(refused.err).toContain('takes no message in the middle of a turn')
    expect(await typesOf(runner)).not.toContain('message.posted')
    const capabilities = { ...handCapabilities, steer: true }
    await runner.report({ type: 'session.profile_changed', data: { capabilities } })
    expect(await run(['send', '--now', runner.session, 'turn', 'left'])).toMatchObject({ code: 0, out: 'sent\n' })
    const attached = start(['attach', runner.session])
    attached.type('/now and right')
    await attached.says('wants "and right" read in this turn')
    attached.child.kill('SIGINT')
    expect((await attached.ended).code).toBe(0)
    const told = (await live.stored(runner.session)).filter(({ type }) => type.startsWith('message.'))
    expect(told.map(({ type, body }) => [type, body?.['text']])).toEqual([
      ['message.posted', 'turn left'],
      ['message.hurried', undefined],
      ['message.posted', 'and right'],
      ['message.hurried', undefined],
    ])
  })

  it('[B4] ls, send, logs and abort, as text and as JSON', async () => {
    const runner = await live.startSession('a title\u202e\u009b31m')
    await runner.report({
      type: 'message.posted',
      data: { message: 'm1', role: 'agent', chars: 2, queued: false },
      body: { text: 'one\n00:00:00 ASKS   two\u001b]0;x\u0007' },
    })
    const listed = await run(['ls'])
    expect(listed.out).toContain('a title\\u{202e}\\u{9b}31m')
    expect(listed.out).toContain(runner.session.slice(0, 18))
    const rows = JSON.parse((await run(['--json', 'ls'])).out) as SessionRow[]
    expect(rows.find(({ session }) => session === runner.session)).toMatchObject({ status: 'active', agent: 'demo' })

    expect(await run(['send', runner.session, 'hello', 'there'])).toMatchObject({ code: 0, out: 'sent\n' })
    const logs = await run(['logs', runner.session])
    expect(logs.out).toMatch(/^\d\d:\d\d:\d\d agent {2}one\n {16}00:00:00 ASKS {3}two\\u\{1b\}\]0;x\\u\{7\}$/m)
    expect(logs.out).toMatch(/^\d\d:\d\d:\d\d @dana {2}hello there$/m)
    // oxlint-disable-next-line no-control-regex
    expect(logs.out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    // [S14] The same as lines that stand by themselves.
    const short = (await run(['logs', '--short', runner.session])).out.trimEnd().split('\n')
    for (const line of short)
      expect(line).toMatch(/^\d\d:\d\d:\d\d (\[\w+\]|Message:|Status:|Waiting for \w+:|Goal complete)/)
    expect(short.map((line) => line.slice(9))).toContain('Message: hello there')
    const lines = (await run(['--json', 'logs', runner.session])).out.trim().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as Envelope).seq)).toEqual(lines.map((_, index) => index + 1))

    expect(JSON.parse((await run(['--json', 'abort', runner.session, '--reason', 'enough'])).out)).toMatchObject({
      id: expect.any(String) as string,
    })
    expect(await typesOf(runner)).toContain('control.requested')

    // Until its agent is gone the list says what it is on its way to be; then why it is over.
    const standing = async (): Promise<unknown> => {
      const all = JSON.parse((await run(['--json', 'ls', '--all'])).out) as SessionRow[]
      const row = all.find(({ session }) => session === runner.session)
      return [row?.status, row?.ending, row?.reason, row?.exit]
    }
    expect(await standing()).toEqual(['active', 'aborted', 'agent_ready', null])
    expect((await run(['ls'])).out).toMatch(new RegExp(`${runner.session.slice(0, 18)}  ending \\(aborted\\)`))
    const exit = { code: null, signal: 'SIGTERM' }
    const gone = { from: 'active', to: 'aborted', reason: 'requested', exit }
    await runner.report({ type: 'session.state_changed', data: gone, body: {} })
    expect(await standing()).toEqual(['aborted', null, 'requested', exit])
    expect((await run(['ls', '--all'])).out).toContain('aborted (SIGTERM)')
  })

  it('[B17] logs says what became of messages, and logs -f shows a line that has not ended', async () => {
    const runner = await live.startSession()
    await run(['send', runner.session, 'the first version'])
    const posted = (await live.stored(runner.session)).find(({ type }) => type === 'message.posted')
    const message = String(posted?.data['message'])
    const link = live.link()
    await link.command(runner.stream, 'message.edit', { message, text: 'the second version' })
    expect((await run(['logs', runner.session])).out).toMatch(
      /edited @dana wrote in place of "the first version":\n +the second version\n.* note +"the second version" waits/,
    )
    await link.command(runner.stream, 'message.withdraw', { message })
    await runner.report({ type: 'message.delta', data: { message: 'm1' }, body: { text: 'no line end' } })
    const following = start(['logs', '-f', runner.session])
    await following.says('agent  no line end …')
    expect(following.out).toContain('@dana took back "the second version"')
    const change = { from: 'active', to: 'completed', reason: 'goal_reached' }
    await runner.report({ type: 'session.state_changed', data: change, body: {} })
    expect((await following.ended).out.split('no line end')).toHaveLength(2)
  })

  it('[B4] send says where nobody reads it, and resume takes a session up again', async () => {
    const runner = await live.startSession()
    expect(await run(['resume', runner.session])).toMatchObject({ code: exitCodes.conflict, out: '' })
    const change = { from: 'active', to: 'interrupted', reason: 'agent_lost' }
    await runner.report({ type: 'session.state_changed', data: change, body: {} })
    const lost = await run(['send', runner.session, 'hello'])
    expect(lost).toMatchObject({ code: exitCodes.conflict, out: '' })
    expect(lost.err).toContain('The agent is gone and cannot be taken up again; nobody would read this.')

    const other = await live.startSession()
    const { capabilities } = (await live.stored(other.session)).find((event) => event.data['capabilities'])?.data ?? {}
    await other.report(
      { type: 'session.profile_changed', data: { capabilities: { ...(capabilities as object), resume: true } } },
      { type: 'session.state_changed', data: change, body: {} },
    )
    const { err } = await run(['send', other.session, 'hello'])
    expect(err).toContain(`It is interrupted; nobody reads this until it is resumed: hotline resume `)
    expect(await run(['resume', other.session])).toMatchObject({ code: 0, out: 'resuming\n' })
    const asked = (await live.stored(other.session)).filter(({ type }) => type === 'control.requested')
    expect(asked.map(({ data }) => data['action'])).toEqual(['resume'])
  })

  it('[B14] what is no id, or too little of one, decides nothing and ends nothing', async () => {
    const runner = await live.startSession()
    const { approval } = await runner.ask({ tool: 'bash', title: 'List', input: 'ls' })
    for (const id of ['', approval.slice(0, 3), runner.session.slice(0, 3)]) {
      for (const args of [
        ['deny', id],
        ['abort', id],
        ['asks', id],
        ['send', id, 'hello'],
        ['attach', id],
      ]) {
        const refused = await run(['--json', ...args])
        expect(refused).toMatchObject({ code: exitCodes.invalid, out: '' })
        expect(JSON.parse(refused.err)).toMatchObject({ code: 'invalid_request' })
        expect(refused.err).toContain('too little of an id')
      }
    }
    expect(await resolvedOf(runner)).toEqual([])
    const types = await typesOf(runner)
    for (const type of ['control.requested', 'message.posted']) expect(types).not.toContain(type)
    expect(await run(['deny', approval.slice(0, -4)])).toMatchObject({ code: 0, out: 'denied\n' })
  })

  it('[B5] [P1] deny shows exactly what would have run; the second is told who was first; asks shows everything', async () => {
    const runner = await live.startSession()
    const input = 'rm -rf /\r\u001b[2K\u202els\n00:00:00 answer allowed'
    const request = { tool: 'bash', title: 'List\nfiles', input, cwd: '/srv', reason: 'to look' }
    const { approval, digest } = await runner.ask(request)
    const card = ['List\\nfiles', '| rm -rf /\\u{d}\\u{1b}[2K\\u{202e}ls', '| 00:00:00 answer allowed', 'in /srv']
    const asked = await run(['asks', runner.session])
    for (const text of [...card, 'runs exactly this', 'the agent says: to look']) expect(asked.out).toContain(text)
    const { approval: second } = await runner.ask({ tool: 'bash', title: 'again', input: 'ls' })
    const lines = (await run(['--json', 'asks', runner.session])).out.trim().split('\n')
    const values = lines.map((line) => JSON.parse(line) as object)
    expect(values).toMatchObject([{ session: runner.session, approval, digest, request }, { approval: second }])

    const several = await run(['deny', runner.session])
    expect(several.code).toBe(exitCodes.invalid)
    expect(several.err).toContain(second)
    const denied = await run(['deny', approval, '--reason', 'not now'])
    expect(denied).toMatchObject({ code: 0, out: 'denied\n' })
    for (const text of card) expect(denied.err).toContain(text)
    const late = await run(['approve', approval])
    expect(late).toMatchObject({ code: exitCodes.conflict, out: '' })
    expect(late.err).toMatch(/This was denied already: by @dana at \d\d:\d\d:\d\d in a terminal\./)
    const again = await run(['--json', 'deny', approval])
    expect(JSON.parse(again.err)).toMatchObject({
      code: 'already_resolved',
      outcome: 'denied',
      at: expect.any(String) as string,
    })
    expect(await run(['deny', 'f'.repeat(8)])).toMatchObject({ code: exitCodes['not-found'] })
    expect(await resolvedOf(runner)).toEqual([['denied', 'not now']])
  })

  it('[B5] asks says the time to answer as it is now: a pause moves it, and while it lasts none passes', async () => {
    const runner = await live.startSession()
    const { approval } = await runner.ask({ tool: 'bash', title: 'Timed', input: 'ls' })
    const read = async (): Promise<{ text: string; value: { expiresAt: string; timeStands?: true } }> => {
      const text = (await run(['asks', approval])).out
      return { text, value: JSON.parse((await run(['--json', 'asks', approval])).out) as { expiresAt: string } }
    }
    const before = await read()
    expect(before.text).toMatch(/; until [\d: -]+\)/)
    const change = async (from: 'active' | 'paused', to: 'active' | 'paused'): Promise<unknown> =>
      await runner.report({ type: 'session.state_changed', data: { from, to, reason: 'requested' }, body: {} })
    await change('active', 'paused')
    const paused = await read()
    expect(paused.text).toContain('its time stands still while the session is paused')
    expect(paused.value).toMatchObject({ expiresAt: before.value.expiresAt, timeStands: true })
    await change('paused', 'active')
    const after = await read()
    const moved = (await live.stored(runner.session)).findLast(({ type }) => type === 'approval.extended')
    expect(after.value.expiresAt).toBe(moved?.data['expiresAt'])
    expect(Date.parse(after.value.expiresAt)).toBeGreaterThan(Date.parse(before.value.expiresAt))
    expect(after.value.timeStands).toBeUndefined()
  })

  it('[B11] without a terminal nothing is allowed but by the digest of what was read', async () => {
    const runner = await live.startSession()
    const { approval, digest } = await runner.ask({ tool: 'bash', title: 'List', input: 'ls' })
    const blind: readonly (readonly string[])[] = [
      ['approve', runner.session],
      ['approve', approval],
      ['--json', 'approve', approval],
    ]
    for (const args of blind) {
      const refused = await run(args)
      expect(refused).toMatchObject({ code: exitCodes.invalid, out: '' })
      expect(refused.err).toContain(`hotline approve ${approval} --digest`)
      expect(refused.err).not.toContain(digest)
    }
    expect(await run(['approve', approval, '--digest', 'abc'])).toMatchObject({ code: exitCodes.invalid })
    const other = await run(['--json', 'approve', approval, '--digest', 'f'.repeat(64)])
    expect(other.code).toBe(exitCodes.conflict)
    expect(JSON.parse(other.err)).toMatchObject({ code: 'digest_mismatch' })
    expect(await resolvedOf(runner)).toEqual([])
    expect(await run(['approve', approval, '--digest', digest])).toMatchObject({ code: 0, out: 'allowed\n' })
    expect(await resolvedOf(runner)).toEqual([['allowed', undefined]])
  })

  it('[B6] attach prints what happens and sends what is typed; a pipe allows nothing, and chat decides nothing', async () => {
    const runner = await live.startSession()
    await runner.report({ type: 'turn.started', data: { turn: 't1' } })
    const attached = start(['attach', runner.session])
    await attached.says('queued -> starting')
    attached.type('/deny')
    await waitFor(() => attached.err.includes('Nothing is asked now.'), { what: 'the answer to /deny' })
    attached.type('yes, allow it')
    await attached.says('yes, allow it')
    await runner.ask({ tool: 'bash', title: 'First', input: 'echo 1' })
    await runner.ask({ tool: 'bash', title: 'Second', input: 'echo 2' })
    await attached.says('[2] Second')
    attached.type('allow')
    attached.type('/allow 1')
    await waitFor(() => attached.err.includes('Nobody sees here what is asked.'), { what: 'the refusal' })
    attached.type('/deny')
    await waitFor(() => attached.err.includes('Say which one: 1, 2.'), { what: 'the question which' })
    attached.type('/deny 2 not this one')
    await attached.says('not this one')
    attached.type('/stop')
    attached.type('/unheard')
    await waitFor(() => attached.err.includes('Known: /now'), { what: 'the help' })
    attached.type('/quit')
    const { code, err } = await attached.ended
    expect(code).toBe(0)
    expect(err).toContain('It goes on. Come back with: hotline attach')
    const stored = await live.stored(runner.session)
    const texts = stored.filter(({ type }) => type === 'message.posted').map(({ body }) => body?.['text'])
    expect(texts).toEqual(['yes, allow it', 'allow'])
    expect(await resolvedOf(runner)).toEqual([['denied', 'not this one']])
    expect(stored.filter(({ type }) => type === 'control.requested').map(({ data }) => data['action'])).toEqual([
      'interrupt',
    ])
  })

  it('[B6] attach goes on over a lost connection, and what is typed meanwhile arrives once', async () => {
    const runner = await live.startSession()
    const attached = start(['attach', runner.session], { HOTLINE_URL: live.proxyUrl })
    await attached.says('queued -> starting')
    live.proxy.refuse()
    live.proxy.cut()
    await waitFor(() => attached.err.includes('Trying again'), { what: 'the loss to be said' })
    attached.type('from the tunnel')
    live.proxy.restore()
    await attached.says('from the tunnel')
    await runner.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'completed', reason: 'goal_reached' },
      body: {},
    })
    expect((await attached.ended).code).toBe(0)
    const texts = (await live.stored(runner.session)).filter(({ type }) => type === 'message.posted')
    expect(texts).toHaveLength(1)
  })

  it('[B6] what was typed before /quit is sent before the program ends, and what could not be sent is said', async () => {
    const runner = await live.startSession()
    const textsOf = async (session: string): Promise<unknown[]> =>
      (await live.stored(session)).filter(({ type }) => type === 'message.posted').map(({ body }) => body?.['text'])
    const attached = start(['attach', runner.session])
    attached.type('ONE\nTWO\n/quit\nTHREE')
    expect(await attached.ended).toMatchObject({ code: 0, err: expect.stringContaining('It goes on.') as string })
    expect(await textsOf(runner.session)).toEqual(['ONE', 'TWO'])

    const running = start(['run', 'demo'])
    running.type('help\nhelp\n/quit')
    const { code, out, err } = await running.ended
    expect({ code, out }).toMatchObject({ code: 0 })
    const begun = /hotline attach (\S+)/.exec(err)?.[1] ?? ''
    const rows = JSON.parse((await run(['--json', 'ls'])).out) as SessionRow[]
    const made = rows.find(({ session }) => session.startsWith(begun))?.session ?? ''
    expect(await textsOf(made)).toEqual(['help', 'help'])

    const cut = start(['--json', 'attach', runner.session], { HOTLINE_URL: live.proxyUrl })
    await cut.says('session.created')
    live.proxy.refuse()
    live.proxy.cut()
    await waitFor(() => cut.err.includes('Trying again'), { what: 'the loss to be said' })
    cut.type('FOUR\nFIVE\n/quit')
    await waitFor(() => cut.err.includes('Ctrl-C gives it up'), { what: 'what it waits for' })
    cut.child.kill('SIGINT')
    const lost = await cut.ended
    live.proxy.restore()
    expect(lost.code).toBe(exitCodes.unavailable)
    expect(JSON.parse(lost.err.trim().split('\n').at(-1) ?? '')).toMatchObject({
      code: 'unreachable',
      unsent: ['FOUR', 'FIVE'],
      detail: expect.stringContaining('Not sent: "FOUR", "FIVE".') as string,
    })
    expect(await textsOf(runner.session)).toEqual(['ONE', 'TWO'])
  })

  it('[B7] run starts an agent, or any command as it was typed, and says what it waits for', async () => {
    const detached = await run(['run', '--detach', '--title', 'T', 'demo', 'say', 'hello'])
    const session = detached.out.trim()
    const stored = await live.stored(session)
    expect(stored[0]).toMatchObject({ type: 'session.created', data: { agent: 'demo' }, body: { title: 'T' } })
    expect(stored[1]).toMatchObject({ type: 'message.posted', body: { text: 'say hello' } })
    const made = await run(['--json', 'run', '--detach', '--cwd', '/tmp/..', '--', 'ls', '-la', '--json', '--', 'x'])
    const { session: other } = JSON.parse(made.out) as { session: string }
    const [created] = await live.stored(other)
    expect(created).toMatchObject({
      data: { agent: 'command', runner: 'a-runner-that-is-away' },
      body: { command: ['ls', '-la', '--json', '--', 'x'], cwd: '/' },
    })
    for (const args of [
      ['run', 'nosuch'],
      ['attach', session],
    ]) {
      const waiting = start(args)
      const why = 'It waits. No machine is connected. It begins by itself as soon as one is.'
      await waitFor(() => waiting.err.includes(why), { what: 'what it waits for' })
      expect(waiting.child.exitCode).toBeNull()
      waiting.child.kill('SIGINT')
      expect((await waiting.ended).err.split(why)).toHaveLength(2)
    }
    expect(await run(['run', '--until', 'tomorrow', 'demo'])).toMatchObject({ code: exitCodes.invalid })
  })
})

describe('who the command line is', () => {
  it('[B8] sign-in keeps a token that is given, for this server alone, in a file of its owner; sign-out forgets it', async () => {
    const config = join(home.path, 'config')
    const env = { XDG_CONFIG_HOME: config, HOTLINE_TOKEN: '', HOTLINE_DATA_DIR: join(home.path, 'none') }
    expect(await run(['ls'], env)).toMatchObject({ code: exitCodes.unauthenticated })
    const signingIn = start(['sign-in', '--with-token'], env)
    signingIn.type(live.token)
    signingIn.endInput()
    expect(await signingIn.ended).toMatchObject({ code: 0, out: `Signed in to ${live.url} as dana.\n` })
    const file = join(config, 'hotline', 'credentials.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect((await run(['ls'], env)).code).toBe(0)

    const wrong = start(['sign-in', '--with-token'], env)
    wrong.type('hl_pat_wrong')
    wrong.endInput()
    expect((await wrong.ended).code).toBe(exitCodes.unauthenticated)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ [live.url]: { token: live.token } })

    expect((await run(['sign-out'], env)).code).toBe(0)
    expect(readFileSync(file, 'utf8')).not.toContain(live.token)
    expect(await run(['ls'], env)).toMatchObject({ code: exitCodes.unauthenticated })
  })

  it('[B2] a folder that cannot be one is said, by sign-in before it makes a token, and by doctor', async () => {
    const file = join(home.path, 'a file')
    writeFileSync(file, '')
    for (const folder of [file, '/dev/null', '/proc/nope']) {
      const signingIn = start(['--json', 'sign-in', '--with-token'], { XDG_CONFIG_HOME: folder })
      signingIn.type(live.token)
      signingIn.endInput()
      const { code, err } = await signingIn.ended
      expect({ code, err }).toMatchObject({ code: exitCodes.invalid })
      expect(JSON.parse(err)).toMatchObject({
        code: 'invalid_request',
        detail: expect.stringContaining(`No credential can be kept in ${join(folder, 'hotline')}`) as string,
      })
    }
    expect((await run(['doctor'], { HOTLINE_DATA_DIR: file })).out).toContain(`FAIL ${file} is no directory`)
  })

  it('[B12] keys are made, shown once, listed without their secret, and revoked', async () => {
    const make = ['keys', 'make', 'a probe', '--scope', 'read', '--days', '7']
    expect(await run(make)).toMatchObject({ code: exitCodes.unauthenticated, out: '' })
    const making = start([...make, '--with-password'])
    making.type('a long walk over the wet meadow')
    making.endInput()
    const made = await making.ended
    expect(made.code).toBe(0)
    const token = made.out.trim()
    expect(token).toMatch(/^hl_svc_/)
    const guessing = start(['keys', 'make', 'another', '--with-password'])
    guessing.type('wrong')
    guessing.endInput()
    expect(await guessing.ended).toMatchObject({ code: exitCodes.unauthenticated, out: '' })
    const as = { HOTLINE_TOKEN: token }
    expect((await run(['ls'], as)).code).toBe(0)
    expect((await run(['run', 'demo', '--detach'], as)).code).toBe(exitCodes.forbidden)
    const rows = JSON.parse((await run(['--json', 'keys'])).out) as KeyRow[]
    const row = rows.find(({ name }) => name === 'a probe')
    expect(row).toMatchObject({ kind: 'svc', scopes: ['read'] })
    expect(rows.map(({ name }) => name)).not.toContain('another')
    const listed = await run(['keys'])
    expect(listed.out).toContain(`${row?.key}  service  a probe (read; until `)
    expect(listed.out).not.toContain(token)
    expect(await run(['keys', 'revoke', row?.key ?? ''])).toMatchObject({ code: 0, out: 'revoked\n' })
    expect((await run(['ls'], as)).code).toBe(exitCodes.unauthenticated)
    expect((await run(['keys', 'make', 'x', '--days', 'many'])).code).toBe(exitCodes.invalid)
    expect((await run(['keys', 'revoke', 'none'])).code).toBe(exitCodes['not-found'])
  })

  it('[B3] a token goes to no server but the one that it is of', async () => {
    const heard: (string | undefined)[] = []
    const stranger = createServer((request, response) => {
      heard.push(request.headers.authorization)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
    try {
      const config = join(home.path, 'other-config')
      mkdirSync(join(config, 'hotline'), { recursive: true })
      const stored = { [live.url]: { token: 'stored' } }
      writeFileSync(join(config, 'hotline', 'credentials.json'), JSON.stringify(stored))
      writeFileSync(join(live.dataDir, 'url'), `${live.url}\n`)
      const url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`
      const env = { XDG_CONFIG_HOME: config, HOTLINE_TOKEN: '', HOTLINE_URL: url }
      expect(await run(['ls'], env)).toMatchObject({ code: exitCodes.unauthenticated })
      expect(heard).toEqual([])
      // On this machine, without anything said, the owner's own token is used.
      const own = await run(['ls'], { HOTLINE_TOKEN: '', HOTLINE_URL: '' })
      expect(own.code).toBe(0)
    } finally {
      stranger.closeAllConnections()
      await new Promise((resolve) => stranger.close(resolve))
    }
  })

  it.each([
    ['an address that is none', ['--url', 'nonsense', 'ls']],
    ['another scheme', ['--url', 'file:///etc/passwd', 'ls']],
    ['a port that is none', ['up', '--port', '99999']],
  ])('[B2] %s is refused', async (_name, args) => {
    expect(await run(args)).toMatchObject({ code: exitCodes.invalid, out: '' })
  })

  it('[B2] a setting with a typing error is named, not ignored', async () => {
    const { code, err } = await run(['up'], { HOTLINE_PROT: '1' })
    expect(code).toBe(exitCodes.invalid)
    expect(err).toContain('HOTLINE_PROT')
  })
})
