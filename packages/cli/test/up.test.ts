import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { exitCodes } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import { type ChildGuard, guardChildren } from '@hotline/testing/child-guard'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type HotlineProcess, startHotlineProcess } from './hotline-process.ts'

const password = 'a long walk over the wet meadow'
let dir: TempDir
let guard: ChildGuard

beforeEach(async () => {
  dir = await openTempDir()
  // Children have an environment of their own: they are known by the data directory in it, which is a mark as well.
  guard = guardChildren({ directories: [dir.path] })
})
afterEach(async () => {
  await guard.assertNoSurvivors()
  await dir.remove()
})

const behindProxy = {
  HOTLINE_PUBLIC_URL: 'https://hotline.example.org',
  HOTLINE_BEHIND_PROXY: 'true',
  HOTLINE_TRUSTED_PROXIES: '127.0.0.1,::1',
}

function up(
  more: Readonly<Record<string, string>> = {},
  flags: readonly string[] = ['--json'],
  options: readonly string[] = [],
  port = '0',
): HotlineProcess {
  return startHotlineProcess([...flags, 'up', '--port', port, ...options], {
    HOME: dir.path,
    HOTLINE_DATA_DIR: join(dir.path, 'data'),
    ...guard.environment,
    ...more,
  })
}

interface Facts {
  url: string
  local?: string
  bootstrap?: string
}

const facts = async (hotline: HotlineProcess): Promise<Facts> => {
  await waitFor(() => hotline.out.includes('\n'), { what: `the ready line (${hotline.err})`, deadlineMs: 30_000 })
  return JSON.parse(hotline.out) as Facts
}

/** Makes the first account, as the page does that the link opens. */
function claim(base: string, code: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${base}/api/auth/bootstrap`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: base, ...headers },
    body: JSON.stringify({ code, name: 'dana', password }),
  })
}

/** Commands of this machine's own command line; each answers what it printed. */
function ownCommands(): (...args: string[]) => Promise<string> {
  const cli = { HOME: dir.path, HOTLINE_DATA_DIR: join(dir.path, 'data') }
  return async (...args) => {
    const started = startHotlineProcess(args, cli)
    started.endInput()
    return (await started.ended).out.trim()
  }
}

describe('hotline up', () => {
  it('[B10] starts, says where, and keeps its folder to its owner; Ctrl-C ends everything with 0', async () => {
    const hotline = up({ SECRET_OF_THE_SHELL: 'x', HOTLINE_TOKEN: 'y' })
    const { url, bootstrap } = await facts(hotline)
    expect(bootstrap).toContain(`${url}/#bootstrap=`)
    expect((await fetch(`${url}/readyz`)).status).toBe(200)
    expect(statSync(join(dir.path, 'data')).mode & 0o777).toBe(0o700)
    hotline.child.kill('SIGINT')
    const { code, err } = await hotline.ended
    expect(code).toBe(0)
    expect(err).toContain('Ending agents, runner and server')
    expect(err).not.toContain(bootstrap?.split('=')[1])
  })

  it('[B10] ended before it is ready it leaves nothing behind', async () => {
    const hotline = up()
    await waitFor(() => guard.findSurvivors().length > 1, { what: 'a child' })
    hotline.child.kill('SIGTERM')
    expect((await hotline.ended).out).toBe('')
  })

  it.each(['both', 'server', 'runner'])(
    '[O4] a folder that others can write is refused, and left as it is (%s)',
    async (only) => {
      const data = join(dir.path, 'data')
      mkdirSync(data)
      chmodSync(data, 0o777)
      const { code, err } = await up({}, ['--json'], only === 'both' ? [] : ['--only', only]).ended
      expect(code).toBe(2)
      expect(JSON.parse(err)).toMatchObject({ code: 'invalid_request' })
      expect(err).toContain('Others can write the data directory')
      expect(statSync(data).mode & 0o777).toBe(0o777)
    },
  )

  it.each(['/proc/nope', '/dev/null/x', '/etc/hostname'])(
    '[O4] %s is no folder, and that is a sentence',
    async (data) => {
      const { code, err } = await up({ HOTLINE_DATA_DIR: data }, []).ended
      expect(code).toBe(2)
      expect(err).toMatch(/cannot be made|is not a directory/)
      expect(err).not.toContain('    at ')
    },
  )

  it('[B10] a second server in the same folder is refused with a sentence', async () => {
    const first = up()
    await facts(first)
    const { code, err } = await up().ended
    expect(code).not.toBe(0)
    expect(err).toContain('in use')
    first.child.kill('SIGINT')
    expect((await first.ended).code).toBe(0)
  })

  it('[B30] a second runner in the same folder is refused, says what to do, and touches no agent of the first', async () => {
    const first = up()
    const { url, bootstrap = '' } = await facts(first)
    await claim(url, bootstrap.split('#bootstrap=')[1] ?? '')
    await waitFor(() => existsSync(join(dir.path, 'data', 'cli-token')), { what: 'the token of this machine' })
    const own = ownCommands()
    await own('run', '--detach', '--', 'cat')
    const status = async (): Promise<unknown> =>
      (JSON.parse(await own('--json', 'ls')) as { status: string }[])[0]?.status
    await waitFor(async () => (await status()) === 'active', { what: 'the agent', everyMs: 300 })
    const twin = up({ HOTLINE_URL: url }, ['--json'], ['--only', 'runner'])
    const { code, err } = await twin.ended
    expect(code).not.toBe(0)
    expect(err).toMatch(
      /is in use by another runner \(process \d+\)\. End that one first, or give this one a data directory/,
    )
    expect(err).not.toContain('an agent of an earlier life')
    expect(await status()).toBe('active')
    first.child.kill('SIGINT')
    expect((await first.ended).code).toBe(0)
  })

  it('[B10] a second Ctrl-C ends agents too that take no notice of being asked', async () => {
    const hotline = up()
    const { url, bootstrap = '' } = await facts(hotline)
    await claim(url, bootstrap.split('#bootstrap=')[1] ?? '')
    await waitFor(() => existsSync(join(dir.path, 'data', 'cli-token')), { what: 'the token of this machine' })
    const deaf = 'trap "" TERM HUP INT; echo deaf; while true; do sleep 1; done'
    const own = ownCommands()
    const session = await own('run', '--detach', '--', 'bash', '-c', deaf)
    await waitFor(async () => (await own('logs', session)).includes('deaf'), { what: 'the agent', everyMs: 300 })
    guard.noteDescendants()
    hotline.child.kill('SIGINT')
    await waitFor(() => hotline.err.includes('Ending agents'), { what: 'the end to begin' })
    hotline.child.kill('SIGINT')
    await hotline.ended
    expect(guard.findSurvivors()).toEqual([])
  })

  it('[AP7] a variable that a profile comes to name reaches its agent without a new start, and no other one does', async () => {
    const hotline = up({ LATER_WORD: 'harbour', OTHER_WORD: 'meadow' })
    const { url, bootstrap = '' } = await facts(hotline)
    await claim(url, bootstrap.split('#bootstrap=')[1] ?? '')
    await waitFor(() => existsSync(join(dir.path, 'data', 'cli-token')), { what: 'the token of this machine' })
    const own = ownCommands()
    mkdirSync(join(dir.path, 'data/agents'), { recursive: true, mode: 0o700 })
    const lines = [
      'command: [sh, -c, "echo said ${LATER_WORD:-nothing} ${OTHER_WORD:-nothing}"]',
      'adapter: pipe',
      'env: [LATER_WORD]',
      'interactive:',
      '  enabled: true',
    ]
    writeFileSync(join(dir.path, 'data/agents/later.yaml'), `${lines.join('\n')}\n`, { mode: 0o600 })
    // The machine reads profiles every few seconds, and so does whoever started it.
    const said = async (): Promise<boolean> => {
      const session = await own('run', '--detach', 'later')
      if (session === '') return false
      await waitFor(async () => (await own('logs', session)).includes('said'), { what: 'its words', everyMs: 200 })
      return (await own('logs', session)).includes('said harbour nothing')
    }
    await waitFor(said, { what: 'the variable to arrive', everyMs: 500, deadlineMs: 60_000 })
    hotline.child.kill('SIGINT')
    expect((await hotline.ended).code).toBe(0)
  })

  it.each([
    ['on', 'Its agents go on, and it takes them up again; of one that cannot be taken up, its session says so.'],
    ['off', 'Its agents ended with it: their sessions are interrupted'],
  ])('[B10] says what it means that a runner was killed, with the keeper %s', async (keeper, meaning) => {
    const hotline = up(keeper === 'off' ? { HOTLINE_KEEPER: keeper } : {})
    await facts(hotline)
    const runner = guard.findSurvivors().find(({ command }) => command.includes('packages/runner/'))
    process.kill(runner?.pid ?? 0, 'SIGKILL')
    await waitFor(() => hotline.err.includes('The runner ended (SIGKILL)'), { what: 'the news' })
    expect(hotline.err).toContain(meaning)
    expect(hotline.err).not.toContain('Nothing is lost')
    hotline.child.kill('SIGINT')
    expect((await hotline.ended).code).toBe(0)
  })

  it('[B10] killed without a chance to say anything, it takes server, runner and agents along', async () => {
    const hotline = up()
    const { url, bootstrap = '' } = await facts(hotline)
    await claim(url, bootstrap.split('#bootstrap=')[1] ?? '')
    await waitFor(() => existsSync(join(dir.path, 'data', 'cli-token')), { what: 'the token of this machine' })
    const own = ownCommands()
    await own('run', '--detach', '--', 'cat')
    const isThere = (part: string): boolean => guard.findSurvivors().some(({ command }) => command.includes(part))
    await waitFor(() => isThere('keeper/main.ts'), { what: 'the keeper of the agent' })
    hotline.child.kill('SIGKILL')
    await hotline.ended
    await waitFor(() => guard.findSurvivors().length === 0, { what: 'the end of its children' })
  })

  it('[B4] logs -f goes on over a server that was killed and started again, and says everything once', async () => {
    const hotline = up()
    const { url, bootstrap = '' } = await facts(hotline)
    expect((await claim(url, bootstrap.split('#bootstrap=')[1] ?? '')).status).toBe(200)
    await waitFor(() => existsSync(join(dir.path, 'data', 'cli-token')), { what: 'the token of this machine' })
    const own = (...args: string[]): HotlineProcess => {
      const started = startHotlineProcess(args, { HOME: dir.path, HOTLINE_DATA_DIR: join(dir.path, 'data') })
      started.endInput()
      return started
    }
    const session = (await own('run', '--detach', '--', 'cat').ended).out.trim()
    const log = own('--json', 'logs', '-f', session)
    const send = (text: string): Promise<{ code: number | null; err: string }> => own('send', session, text).ended
    await send('before')
    await log.says('before')
    for (const text of ['after the first time', 'after the second time']) {
      const server = guard.findSurvivors().find(({ command }) => command.includes('packages/server/'))
      process.kill(server?.pid ?? 0, 'SIGKILL')
      await waitFor(async () => (await fetch(`${url}/readyz`)).ok, { what: 'the server again' })
      expect(await send(text)).toMatchObject({ code: 0 })
      await log.says(text)
    }
    expect((await own('abort', session).ended).code).toBe(0)
    const { code, out } = await log.ended
    expect(code).toBe(0)
    const events = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Envelope)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    expect(events.at(-1)).toMatchObject({ type: 'session.state_changed', data: { to: 'aborted' } })
    const sent = events.filter(({ type }) => type === 'message.posted').map(({ body }) => body?.['text'])
    expect(sent).toEqual(['before', 'after the first time', 'after the second time'])
    hotline.child.kill('SIGINT')
    expect((await hotline.ended).code).toBe(0)
  })

  it('[B13] server and runner apart, the runner with a key that was made for it and first in its place', async () => {
    const server = up({}, ['--json'], ['--only', 'server'])
    const { url, bootstrap = '' } = await facts(server)
    await claim(url, bootstrap.split('#bootstrap=')[1] ?? '')
    const cli = { HOME: dir.path, HOTLINE_DATA_DIR: join(dir.path, 'data') }
    await waitFor(() => existsSync(join(dir.path, 'data', 'cli-token')), { what: 'the token of this machine' })
    const own = async (...args: string[]): Promise<string> => (await startHotlineProcess(args, cli).ended).out.trim()
    const making = startHotlineProcess(['keys', 'make', 'a second machine', '--kind', 'run', '--with-password'], cli)
    making.type(password)
    making.endInput()
    const key = (await making.ended).out.trim()
    expect(JSON.parse(await own('--json', 'agents'))).toEqual([])
    server.child.kill('SIGINT')
    await server.ended

    const elsewhere = {
      HOME: dir.path,
      HOTLINE_DATA_DIR: join(dir.path, 'elsewhere'),
      HOTLINE_URL: url,
      ...guard.environment,
    }
    const only = ['--json', 'up', '--only', 'runner']
    const runner = startHotlineProcess(only, { ...elsewhere, HOTLINE_RUNNER_KEY: key })
    await waitFor(() => runner.err.includes('Looking for the server'), { what: 'the runner' })
    const again = up({}, ['--json'], ['--only', 'server'], new URL(url).port)
    await facts(again)
    await runner.says('"ready":true')
    const command = ['--cwd', dir.path, '--', 'echo', 'from the second machine']
    const unsaid = await startHotlineProcess(['run', '--detach', ...command], cli).ended
    expect(unsaid.code).toBe(exitCodes['not-found'])
    expect(unsaid.err).toContain(`This machine runs no agents for this server. Choose one with --on: ${hostname()}`)
    const session = await own('run', '--detach', '--on', hostname(), ...command)
    await waitFor(async () => (await own('logs', session)).includes('from the second machine'), {
      what: 'its output',
      everyMs: 300,
    })
    runner.child.kill('SIGINT')
    expect((await runner.ended).code).toBe(0)

    const stranger = await startHotlineProcess(only, { ...elsewhere, HOTLINE_RUNNER_KEY: `${key}x` }).ended
    expect(stranger.code).not.toBe(0)
    expect(stranger.err).toContain('The runner could not start')
    const keyless = await startHotlineProcess(only, elsewhere).ended
    expect(keyless.err).toContain('A runner needs a key')
    again.child.kill('SIGINT')
    expect((await again.ended).code).toBe(0)
  })

  it('[B10] with a certificate of an authority of its own its runner reaches it, or says why it does not', async () => {
    const [key, cert] = [join(dir.path, 'key.pem'), join(dir.path, 'cert.pem')]
    const kind = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'.split(' ')
    const names = ['-addext', 'subjectAltName=DNS:localhost']
    execFileSync('openssl', ['req', ...kind, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    const tls = { HOTLINE_TLS_CERT: cert, HOTLINE_TLS_KEY: key }
    const trusting = up({ ...tls, NODE_EXTRA_CA_CERTS: cert })
    expect(await facts(trusting)).toMatchObject({ url: expect.stringMatching(/^https:/) as string })
    trusting.child.kill('SIGINT')
    expect((await trusting.ended).code).toBe(0)
    const wary = up(tls)
    await waitFor(() => wary.err.includes('SELF_SIGNED'), { what: 'the reason' })
    wary.child.kill('SIGINT')
    await wary.ended
  })

  it('[B10] behind a public name, its own runner and this machine reach it all the same', async () => {
    const hotline = up(behindProxy)
    const { url, local = '' } = await facts(hotline)
    expect(url).toBe('https://hotline.example.org')
    expect(local).toMatch(/^http:\/\/localhost:[0-9]+$/)
    expect(readFileSync(join(dir.path, 'data', 'url'), 'utf8').trim()).toBe(local)
    expect((await fetch(`${local}/readyz`)).status).toBe(200)
    hotline.child.kill('SIGINT')
    expect((await hotline.ended).code).toBe(0)
  })

  it('[B10] behind a public name it prints a link for this machine too, and that one works', async () => {
    const hotline = up(behindProxy, [])
    await waitFor(() => hotline.out.includes('Ctrl-C ends everything'), { what: 'the ready text', deadlineMs: 30_000 })
    expect(hotline.out).toContain('https://hotline.example.org/#bootstrap=')
    const [, local = '', code = ''] = /^ {2}(http:\/\/localhost:[0-9]+)\/#bootstrap=(.+)$/m.exec(hotline.out) ?? []
    const claimed = await claim(local, code)
    expect(claimed.status).toBe(200)
    const cookie = claimed.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    expect((await fetch(`${local}/api/me`, { headers: { cookie } })).status).toBe(200)
    hotline.child.kill('SIGINT')
    expect((await hotline.ended).code).toBe(0)
  })

  it('[B10] a server that died before there was an account comes back at its port, with a link that works', async () => {
    const hotline = up({}, [])
    await waitFor(() => hotline.out.includes('Ctrl-C ends everything'), { what: 'the ready text', deadlineMs: 30_000 })
    const port = /localhost:([0-9]+)/.exec(hotline.out)?.[1]
    const server = guard.findSurvivors().find(({ command }) => command.includes('packages/server/'))
    process.kill(server?.pid ?? 0, 'SIGKILL')
    const again = /this is the link to begin: (http:\/\/localhost:([0-9]+))\/#bootstrap=(.+)$/m
    await waitFor(() => again.test(hotline.out), { what: 'the new link', deadlineMs: 30_000 })
    const [, base = '', samePort, code = ''] = again.exec(hotline.out) ?? []
    expect(samePort).toBe(port)
    expect((await claim(base, code)).status).toBe(200)
    hotline.child.kill('SIGINT')
    expect((await hotline.ended).code).toBe(0)
  })
})
