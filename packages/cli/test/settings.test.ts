import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readSettings } from '../src/settings.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'hotline-settings-'))
  writeFileSync(join(dataDir, 'url'), 'http://localhost:4711\n')
  writeFileSync(join(dataDir, 'cli-token'), 'the local token\n')
})
afterEach(() => rmSync(dataDir, { recursive: true }))

describe('settings of the command line', () => {
  it('[B3] the token of the server on this machine goes to that server alone', () => {
    const env = { HOTLINE_DATA_DIR: dataDir, XDG_CONFIG_HOME: dataDir }
    expect(readSettings({}, env)).toMatchObject({ url: 'http://localhost:4711', token: 'the local token' })
    for (const url of ['http://evil.example', 'http://localhost:4712', 'http://localhost.evil.example:4711']) {
      expect(readSettings({}, { ...env, HOTLINE_URL: url }).token).toBeUndefined()
      expect(readSettings({ url }, env).token).toBeUndefined()
    }
  })

  it('[B3] where no server has said its address, the port that it is given counts', () => {
    const env = { HOTLINE_DATA_DIR: join(dataDir, 'none'), XDG_CONFIG_HOME: dataDir }
    const urlWith = (port: string): string => readSettings({}, { ...env, HOTLINE_PORT: port }).url
    expect([urlWith('4799'), urlWith(''), urlWith('0')]).toEqual([
      'http://localhost:4799',
      'http://localhost:4680',
      'http://localhost:4680',
    ])
    const said = readSettings({}, { ...env, HOTLINE_DATA_DIR: dataDir, HOTLINE_PORT: '4799' })
    expect(said.url).toBe('http://localhost:4711')
  })

  it('[B3] what only looks like its address is none', () => {
    const env = { HOTLINE_DATA_DIR: dataDir, XDG_CONFIG_HOME: dataDir }
    expect(() => readSettings({ url: 'http://localhost:4711.evil.example' }, env)).toThrow('no address of a server')
  })

  it('[B3] a token that is named goes where it is told to', () => {
    const env = {
      HOTLINE_DATA_DIR: dataDir,
      XDG_CONFIG_HOME: dataDir,
      HOTLINE_URL: 'https://hotline.example',
      HOTLINE_TOKEN: 'mine',
    }
    expect(readSettings({}, env)).toMatchObject({ url: 'https://hotline.example', token: 'mine' })
    expect(readSettings({ token: 'other' }, env).token).toBe('other')
  })
})
