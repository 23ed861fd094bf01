import { readFileSync, statSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { exitCodes } from '@hotline/protocol/error'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HotlineProcess, startHotlineProcess } from './hotline-process.ts'

let live: LiveServer
let home: TempDir
let cookie: string
beforeAll(async () => {
  live = await startLiveServer()
  home = await openTempDir()
  const body = { name: 'dana', password: 'a long walk over the wet meadow' }
  const signedIn = await post('/api/auth/sign-in', body)
  cookie = signedIn.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
})
afterAll(async () => {
  await live[Symbol.asyncDispose]()
  await home.remove()
})

/** As the page does it. */
function post(path: string, body: object): Promise<Response> {
  return fetch(new URL(path, live.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: live.url, ...(cookie === undefined ? {} : { cookie }) },
    body: JSON.stringify(body),
  })
}

const run = (...args: string[]): HotlineProcess => startHotlineProcess(args, { HOME: home.path })
const stored = (): string => join(home.path, '.config/hotline/credentials.json')

async function codeOf(login: HotlineProcess): Promise<string> {
  await login.says('Waiting for you')
  return /\/device#([2-9A-Z]{4}-[2-9A-Z]{4})/.exec(login.out)?.[1] ?? ''
}

describe('login', () => {
  it('[B19] shows a code, waits for the page, and keeps a token that later commands use until logout', async () => {
    const login = run('login', live.url)
    const userCode = await codeOf(login)
    expect(login.out).toContain(`${live.url}/device#${userCode}`)
    expect((await post('/api/auth/device/look', { userCode })).status).toBe(200)
    expect((await post('/api/auth/device/approve', { userCode, scopes: ['read', 'decide'] })).status).toBe(200)
    const { code, out, err } = await login.ended
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain(`Signed in to ${live.url} as dana (read, decide, until `)
    expect(out).not.toContain('hl_')
    // As every credential is kept.
    expect(statSync(stored()).mode & 0o777).toBe(0o600)
    const kept = JSON.parse(readFileSync(stored(), 'utf8')) as Record<string, { token: string }>
    const token = kept[live.url]?.token ?? ''
    expect(token).toMatch(/^hl_pat_/)
    expect((await run('--url', live.url, 'ls').ended).code).toBe(0)
    const me = (): Promise<Response> =>
      fetch(new URL('/api/me', live.url), { headers: { authorization: `Bearer ${token}` } })
    expect((await me()).status).toBe(200)
    expect((await run('logout', live.url).ended).code).toBe(0)
    expect((await me()).status).toBe(401)
    expect(JSON.parse(readFileSync(stored(), 'utf8'))).toEqual({})
  })

  it('[B19] ends with the code of its kind where it was denied, and keeps nothing', async () => {
    const login = run('login', live.url, '--name', 'a strange machine', '--scope', 'read')
    const userCode = await codeOf(login)
    const looked = (await (await post('/api/auth/device/look', { userCode })).json()) as object
    expect(looked).toMatchObject({ machine: 'a strange machine', scopes: ['read'] })
    expect((await post('/api/auth/device/deny', { userCode })).status).toBe(204)
    const { code, err } = await login.ended
    expect([code, err]).toEqual([exitCodes.forbidden, 'hotline: The sign-in was denied in the page.\n'])
  })

  it('[B19] goes on while the server is away for a moment; with --json it says the same in values', async () => {
    const login = run('--json', 'login', live.proxyUrl)
    await login.says('"code"')
    const { code: userCode, link } = JSON.parse(login.out) as { code: string; link: string }
    expect(link).toBe(`${live.proxyUrl}/device#${userCode}`)
    let met = 0
    const nobody = createServer((socket) => {
      met += 1
      socket.destroy()
    })
    await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve))
    live.proxy.setTarget({ host: '127.0.0.1', port: (nobody.address() as AddressInfo).port })
    live.proxy.cut()
    await waitFor(() => met > 0, { what: 'the question that found nobody' })
    live.proxy.setTarget({ host: '127.0.0.1', port: Number(new URL(live.url).port) })
    nobody.close()
    expect((await post('/api/auth/device/approve', { userCode, scopes: ['read'] })).status).toBe(200)
    const { code, out } = await login.ended
    expect(code).toBe(0)
    const values = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(values).toHaveLength(2)
    expect(values[1]).toMatchObject({ url: live.proxyUrl, name: 'dana', scopes: ['read'] })
  })

  it('[B12] keys exchange prints a token for the API key of a service, and for nobody else', async () => {
    const made = await post('/api/keys', { kind: 'svc', name: 'ci', scopes: ['read'] })
    const { token } = (await made.json()) as { token: string }
    const { code, out } = await run('--url', live.url, '--token', token, 'keys', 'exchange').ended
    expect(code).toBe(0)
    expect(out).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/)
    expect((await run('--url', live.url, '--token', out.trim(), 'ls').ended).code).toBe(0)
    const refused = await run('--url', live.url, '--token', live.token, 'keys', 'exchange').ended
    expect(refused.code).toBe(exitCodes.forbidden)
  })

  it('[B19] Ctrl-C ends the wait, and what is no server or no scope is said', async () => {
    const login = run('login', live.url)
    await login.says('Waiting for you')
    login.child.kill('SIGINT')
    expect(await login.ended).toMatchObject({ code: exitCodes.invalid })
    expect((await run('login', 'nowhere').ended).code).toBe(exitCodes.invalid)
    expect((await run('login', live.url, '--scope', 'own').ended).code).toBe(exitCodes.invalid)
    expect((await run('login', 'http://127.0.0.1:9').ended).code).toBe(exitCodes.unavailable)
  })

  it('[B20] logout --everywhere ends every browser and this machine’s token; other tokens where it is wished', async () => {
    const login = run('login', live.url)
    const userCode = await codeOf(login)
    expect((await post('/api/auth/device/approve', { userCode, scopes: ['read', 'write'] })).status).toBe(200)
    expect((await login.ended).code).toBe(0)
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(new URL('/api/me', live.url), { headers })).status
    const others = { authorization: `Bearer ${live.token}` }
    expect((await run('logout', live.url, '--all-keys').ended).code).toBe(exitCodes.invalid)
    expect(await run('logout', live.url, '--everywhere').ended).toMatchObject({
      code: 0,
      out: `Signed out of ${live.url}, everywhere.\n`,
    })
    expect([await status({ cookie }), await status(others)]).toEqual([401, 200])
    // A second time nothing is stored to do it with; the token of the server's own machine can.
    expect((await run('logout', live.url, '--everywhere').ended).code).toBe(exitCodes.unauthenticated)
    const all = run('--token', live.token, 'logout', live.url, '--everywhere', '--all-keys')
    expect(await all.ended).toMatchObject({ code: 0, out: `Signed out of every browser at ${live.url}.\n` })
    expect(await status(others)).toBe(401)
  })
})
