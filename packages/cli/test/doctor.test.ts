import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'
import { liveScene } from './live-scene.ts'

const scene = liveScene()

async function run(
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; out: string; err: string }> {
  const hotline = startHotlineProcess(args, {
    ...scene.env,
    HOTLINE_DATA_DIR: scene.live.dataDir,
    ...more,
  })
  hotline.endInput()
  return await hotline.ended
}

describe('what doctor finds', () => {
  it('[B9] doctor says what is the matter, and ends with 1 where something is', async () => {
    const well = await run(['doctor'])
    expect(well.out).toContain(`ok   the server at ${scene.live.url} is ready`)
    expect(well.out).toMatch(/^(ok  |FAIL only) [0-9]+ MiB of room on the disk of /m)
    expect(well.out).toContain('FAIL no machine that runs agents is connected')
    expect(well.code).toBe(1)
    const away = await run(['--json', 'doctor'], { HOTLINE_URL: 'http://127.0.0.1:9' })
    const findings = JSON.parse(away.out) as { ok: boolean; what: string }[]
    expect(findings.find(({ ok }) => !ok)?.what).toContain('cannot be reached')
  })

  it('[B18] doctor proves the log of a server at work, and names a stream that is damaged', async () => {
    const runner = await scene.live.startSession()
    expect((await run(['doctor'])).out).toMatch(/^ok {3}the log holds: [0-9]+ streams, [0-9]+ events$/m)
    const dir = join(scene.home.path, 'damaged')
    mkdirSync(dir, { mode: 0o700 })
    const source = new DatabaseSync(join(scene.live.dataDir, 'hotline.db'), { readOnly: true })
    source.prepare('VACUUM INTO ?').run(join(dir, 'hotline.db'))
    source.close()
    const copied = new DatabaseSync(join(dir, 'hotline.db'))
    copied.exec(`DELETE FROM events WHERE seq = 3 AND no = (SELECT no FROM streams WHERE stream = '${runner.stream}')`)
    copied.close()
    const { code, out } = await run(['doctor'], { HOTLINE_DATA_DIR: dir })
    expect(code).toBe(1)
    expect(out).toContain(`FAIL ${runner.stream} is damaged. Its chain does not hold at event 3: event 3 is missing.`)
    expect(out).toContain('Put a copy back ("hotline restore")')
    expect(out.match(/is damaged/g)).toHaveLength(1)
  })

  it('[B9] doctor sees clocks that are apart, and a certificate that ends soon', async () => {
    const [key, cert] = [join(scene.home.path, 'key.pem'), join(scene.home.path, 'cert.pem')]
    const kind = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3 -subj /CN=localhost'.split(' ')
    const names = ['-addext', 'subjectAltName=DNS:localhost']
    execFileSync('openssl', ['req', ...kind, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    const late = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) => {
      response.sendDate = false
      const date = new Date(Date.now() - 600_000).toUTCString()
      response.writeHead(200, { 'content-type': 'application/json', date }).end('{"name":"nobody","agents":[]}')
    })
    await new Promise<void>((resolve) => late.listen(0, 'localhost', resolve))
    try {
      const url = `https://localhost:${(late.address() as AddressInfo).port}`
      const { out } = await run(['doctor'], { HOTLINE_URL: url, NODE_EXTRA_CA_CERTS: cert })
      expect(out).toMatch(/^FAIL the clocks here and at the server are (599|60[0-9]) s apart/m)
      expect(out).toMatch(/^FAIL the certificate of the server ends in [23] days$/m)
    } finally {
      late.closeAllConnections()
      await new Promise((resolve) => late.close(resolve))
    }
    expect((await run(['doctor'])).out).toContain('ok   the clocks here and at the server agree')
  })
})
