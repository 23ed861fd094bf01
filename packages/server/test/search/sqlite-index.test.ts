import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { firstStretch, saidPiece, searchIndexContract } from '@hotline/testing/search-index-contract'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { afterAll, describe, expect, it } from 'vitest'
import { SqliteIndex } from '../../src/search/sqlite-index.ts'

const dir: TempDir = await openTempDir()
afterAll(() => dir.remove())

searchIndexContract('SQLite', {
  open: (name) => Promise.resolve(new SqliteIndex(join(dir.path, `${name}.db`))),
})

describe('the file of a search index', () => {
  it('[SE8] holds no byte of what was forgotten, and is for its owner alone', async () => {
    const path = join(dir.path, 'bytes.db')
    await using index = new SqliteIndex(path)
    const canary = 'zyzzyvacanary'
    const holds = (): boolean =>
      readdirSync(dir.path)
        .filter((file) => file.startsWith('bytes.db'))
        .some((file) => readFileSync(join(dir.path, file)).includes(canary))
    await index.index(firstStretch('session:s', [saidPiece(1, `my ${canary} is here`)]))
    await index.index(firstStretch('session:t', [saidPiece(1, 'another')]))
    expect(holds()).toBe(true)
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o077).toBe(0)
    await index.forget('session:s')
    expect(holds()).toBe(false)
    const at = firstStretch('session:u', [saidPiece(1, `${canary} again`)])
    await index.index(at)
    expect(holds()).toBe(true)
    await index.index({ ...at, after: 1, upTo: 2, changes: [{ erase: { subject: 'message:m1', upTo: 1 } }] })
    expect(holds()).toBe(false)
  })

  it('[SE7] erases a bounded piece at a time, of many short ones and of few long ones', async () => {
    const path = join(dir.path, 'bounded.db')
    await using index = new SqliteIndex(path)
    const printed = { subject: undefined, kind: 'output', isOutput: true } as const
    const short = Array.from({ length: 300 }, (_, at) => saidPiece(at + 1, `printed p${at}`, printed))
    const long = Array.from({ length: 60 }, (_, at) => saidPiece(at + 301, `printed p${at} `.repeat(500), printed))
    await index.index(firstStretch('session:s', [...short, ...long]))
    using file = new DatabaseSync(path, { readOnly: true })
    const left = file.prepare('SELECT count(*) AS pieces, coalesce(sum(length(text)), 0) AS chars FROM pieces')
    const look = (): { pieces: number; chars: number } => ({ pieces: 0, chars: 0, ...left.get() })
    const erase = { subject: undefined, kind: 'output', upTo: 360 } as const
    const stretch = { ...firstStretch('session:s', [{ erase }]), after: 360, upTo: 361 }
    const most = { pieces: 0, chars: 0 }
    for (let before = look(); await index.eraseSome(stretch); before = look()) {
      const now = look()
      most.pieces = Math.max(most.pieces, before.pieces - now.pieces)
      most.chars = Math.max(most.chars, before.chars - now.chars)
    }
    expect(look()).toEqual({ pieces: 0, chars: 0 })
    expect(most.pieces).toBe(50)
    // The last one of a piece may go beyond.
    expect(most.chars).toBeLessThan(64 * 1024 + 8_000)
  })

  it('[SE7] is thrown away and made anew where it is no index, damaged, or of another version', async () => {
    const path = join(dir.path, 'odd.db')
    for (const spoil of [
      () => writeFileSync(path, 'this is no database at all, whatever its name says'.repeat(100)),
      () => {
        using db = new DatabaseSync(path)
        db.exec('PRAGMA user_version = 99')
      },
    ]) {
      await using before = new SqliteIndex(path)
      await before.index(firstStretch('session:s', [saidPiece(1, 'early')]))
      await before[Symbol.asyncDispose]()
      spoil()
      await using after = new SqliteIndex(path)
      expect(await after.position('session:s')).toBeUndefined()
      await after.index(firstStretch('session:s', [saidPiece(1, 'early')]))
      expect(await after.position('session:s')).toMatchObject({ seq: 1 })
    }
  })
})
