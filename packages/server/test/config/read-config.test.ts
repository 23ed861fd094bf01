import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { openTempDir } from '@hotline/testing/temp-dir'
import { describe, expect, it } from 'vitest'
import { prepareDataDirectory } from '../../src/config/data-dir.ts'
import { describeOptions, options } from '../../src/config/options.ts'
import { ConfigError, type Environment, readConfig } from '../../src/config/read-config.ts'

describe('settings', () => {
  it('[O1] what is absent has its default', () => {
    expect(readConfig({ HOME: '/home/dana', PATH: '/bin' })).toEqual({
      dataDir: '/home/dana/.hotline',
      port: 4680,
      listen: ['127.0.0.1', '::1'],
      publicUrl: undefined,
      corsOrigins: [],
      tls: undefined,
      trustedProxies: [],
      webhookTargets: [],
      databaseUrl: undefined,
      debugAreas: [],
      failpoint: undefined,
      compressBatches: false,
      keepOutputDays: 0,
      auditHeads: { file: undefined, webhook: undefined, secrets: [], events: 500, minutes: 5 },
      limits: {
        bodyBytes: 1024 * 1024,
        openApprovals: 5,
        waitingApprovals: 1_000,
        socketsPerAddress: 200,
        socketsPerAccount: 20,
        requestsPerPrincipal: 2_000,
        requestsPerNetwork: 4_000,
        signInTriesPerAccount: 10,
        signInTriesPerNetwork: 30,
        signInLockSeconds: 900,
      },
    })
  })

  it('[O1] what is set is read', () => {
    const config = readConfig({
      HOME: '/home/dana',
      HOTLINE_DATA_DIR: '~/data',
      HOTLINE_PORT: '0',
      HOTLINE_LISTEN: 'localhost, 192.168.0.5',
      HOTLINE_PUBLIC_URL: 'https://hotline.example.org/',
      HOTLINE_BEHIND_PROXY: 'true',
      HOTLINE_TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8,127.0.0.1',
      HOTLINE_DATABASE_URL: 'postgres://localhost/hotline',
      HOTLINE_DEBUG: 'http,access',
    })
    expect(config).toMatchObject({
      dataDir: '/home/dana/data',
      port: 0,
      listen: ['127.0.0.1', '::1', '192.168.0.5'],
      publicUrl: 'https://hotline.example.org',
      trustedProxies: ['10.0.0.0/8', 'fd00::/8', '127.0.0.1'],
      databaseUrl: 'postgres://localhost/hotline',
      debugAreas: ['http', 'access'],
    })
  })

  it.each<[name: string, env: Environment, says: RegExp]>([
    ['[O2] [Y07] an unknown setting', { HOTLINE_PROT: '1' }, /no setting HOTLINE_PROT.*HOTLINE_PORT/],
    ['[O2] a port that is text', { HOTLINE_PORT: 'http' }, /HOTLINE_PORT is "http".*whole number from 0 to 65535/],
    ['[O2] a port that is too large', { HOTLINE_PORT: '65536' }, /HOTLINE_PORT/],
    ['[O2] a negative port', { HOTLINE_PORT: '-1' }, /HOTLINE_PORT/],
    ['[O2] a port in hex', { HOTLINE_PORT: '0x10' }, /HOTLINE_PORT/],
    ['[O2] a port with a fraction', { HOTLINE_PORT: '1.5' }, /HOTLINE_PORT/],
    ['[O2] [Y07] a negative limit', { HOTLINE_LIMIT_BODY_BYTES: '-5' }, /HOTLINE_LIMIT_BODY_BYTES/],
    ['[O2] [Y07] a lock of ten years', { HOTLINE_LIMIT_SIGN_IN_LOCK_SECONDS: '315360000' }, /SIGN_IN_LOCK_SECONDS/],
    [
      '[O2] a switch that is "yes"',
      { HOTLINE_BEHIND_PROXY: 'yes' },
      /HOTLINE_BEHIND_PROXY is "yes".*"true" or "false"/,
    ],
    ['[O2] a name to listen on', { HOTLINE_LISTEN: 'example.org' }, /HOTLINE_LISTEN.*"example.org"/],
    ['[O2] an address with a port', { HOTLINE_LISTEN: '127.0.0.1:80' }, /HOTLINE_LISTEN/],
    ['[O2] a URL with a path', { HOTLINE_PUBLIC_URL: 'https://a.example/hotline' }, /HOTLINE_PUBLIC_URL/],
    ['[O2] a URL with a user', { HOTLINE_PUBLIC_URL: 'https://a@b.example' }, /HOTLINE_PUBLIC_URL/],
    ['[O2] a URL that is none', { HOTLINE_PUBLIC_URL: 'hotline.example' }, /HOTLINE_PUBLIC_URL/],
    [
      '[O2] a proxy that is a name',
      { HOTLINE_BEHIND_PROXY: 'true', HOTLINE_TRUSTED_PROXIES: 'proxy' },
      /TRUSTED_PROXIES/,
    ],
    ['[O2] a network that is too wide to exist', { HOTLINE_TRUSTED_PROXIES: '10.0.0.0/33' }, /TRUSTED_PROXIES/],
    ['[O2] half of TLS', { HOTLINE_TLS_CERT: '/a.pem' }, /HOTLINE_TLS_CERT and HOTLINE_TLS_KEY/],
    [
      '[T01] an open address without TLS',
      { HOTLINE_LISTEN: '0.0.0.0' },
      /without encryption.*HOTLINE_TLS_CERT.*HOTLINE_BEHIND_PROXY/s,
    ],
    ['[T01] an open address beside loopback', { HOTLINE_LISTEN: '127.0.0.1,192.168.0.5' }, /192\.168\.0\.5/],
    [
      '[T01] a public URL whose name begins like loopback',
      {
        HOTLINE_BEHIND_PROXY: 'true',
        HOTLINE_TRUSTED_PROXIES: '10.0.0.1',
        HOTLINE_PUBLIC_URL: 'http://127.0.0.1.a.example',
      },
      /HOTLINE_PUBLIC_URL/,
    ],
    ['[T01] every address in IPv6', { HOTLINE_LISTEN: '::' }, /without encryption/],
    [
      '[T01] a proxy that is not named',
      { HOTLINE_LISTEN: '0.0.0.0', HOTLINE_BEHIND_PROXY: 'true' },
      /TRUSTED_PROXIES is empty/,
    ],
    [
      '[T01] a proxy without a public URL',
      { HOTLINE_LISTEN: '0.0.0.0', HOTLINE_BEHIND_PROXY: 'true', HOTLINE_TRUSTED_PROXIES: '10.0.0.1' },
      /HOTLINE_PUBLIC_URL/,
    ],
    [
      '[T01] a public URL without encryption',
      { HOTLINE_BEHIND_PROXY: 'true', HOTLINE_TRUSTED_PROXIES: '10.0.0.1', HOTLINE_PUBLIC_URL: 'http://a.example' },
      /HOTLINE_PUBLIC_URL/,
    ],
    [
      '[T01] a public URL that nothing serves',
      { HOTLINE_PUBLIC_URL: 'https://a.example' },
      /nothing here speaks https/,
    ],
    ['[T01] proxies without saying so', { HOTLINE_TRUSTED_PROXIES: '10.0.0.1' }, /HOTLINE_BEHIND_PROXY/],
  ])('%s does not start, and the message says what to do', (_name, env, says) => {
    expect(() => readConfig(env)).toThrow(ConfigError)
    expect(() => readConfig(env)).toThrow(says)
  })

  it('[O2] a wrong database address is not repeated, since it may hold a password', () => {
    expect(() => readConfig({ HOTLINE_DATABASE_URL: 'mysql://hotline:s3cret@db' })).toThrow(/HOTLINE_DATABASE_URL/)
    expect(() => readConfig({ HOTLINE_DATABASE_URL: 'mysql://hotline:s3cret@db' })).not.toThrow(/s3cret/)
  })

  it('[O2] settings of the command line, the runner and the tests are not ours to refuse', () => {
    expect(() =>
      readConfig({ HOTLINE_TOKEN: 'x', HOTLINE_URL: 'x', HOTLINE_TEST_SEED: '1', HOTLINE_RUNNER_NAME: 'x' }),
    ).not.toThrow()
  })

  it('[O3] the help names every setting, its default and what it may hold', () => {
    const help = describeOptions()
    for (const { env, help: text } of Object.values(options)) {
      expect(help).toContain(env)
      expect(help).toContain(text)
    }
    expect(help).toContain('(default: 4680)')
    expect(help).toContain('(default: 127.0.0.1,::1)')
  })

  it('[T01] the server as a process ends with a sentence and a code', async () => {
    await using dir = await openTempDir()
    const main = join(import.meta.dirname, '../../src/main.ts')
    const child = spawn(process.execPath, [main], {
      env: { PATH: process.env['PATH'], HOTLINE_DATA_DIR: join(dir.path, 'data'), HOTLINE_LISTEN: '0.0.0.0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()))
    const [code] = (await once(child, 'close')) as [number]
    expect(code).not.toBe(0)
    expect(said).toContain('HOTLINE_LISTEN opens 0.0.0.0 to the network without encryption')
    expect(said).not.toContain('    at ')
  })
})

describe('the data directory', () => {
  it('[O4] is made for its owner alone', async () => {
    await using dir = await openTempDir()
    const path = join(dir.path, 'a/b')
    prepareDataDirectory(path)
    expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  it('[O4] [Y08] that others can write is refused, that others can read is closed', async () => {
    await using dir = await openTempDir()
    const path = join(dir.path, 'data')
    mkdirSync(path)
    for (const mode of [0o770, 0o707, 0o722, 0o1777]) {
      chmodSync(path, mode)
      expect(() => prepareDataDirectory(path)).toThrow(/Others can write.*chmod 700/)
    }
    chmodSync(path, 0o755)
    expect(prepareDataDirectory(path).join(' ')).toMatch(/now only its owner can/)
    expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  it('[O4] that is a file, or cannot be made, is refused with a sentence', async () => {
    await using dir = await openTempDir()
    expect(() => prepareDataDirectory(join(process.execPath, 'data'))).toThrow(ConfigError)
    expect(() => prepareDataDirectory(process.execPath)).toThrow(ConfigError)
    symlinkSync(join(dir.path, 'nowhere'), join(dir.path, 'link'))
    expect(() => prepareDataDirectory(join(dir.path, 'link'))).toThrow(ConfigError)
  })

  it.runIf(process.getuid?.() === 0)('[O4] running as root is said', async () => {
    await using dir = await openTempDir()
    expect(prepareDataDirectory(join(dir.path, 'data')).join(' ')).toMatch(/root/)
  })
})
