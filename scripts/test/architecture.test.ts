import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { packages, serverRooms } from '../rooms.ts'

interface Import {
  file: string
  target: string
}

/** Every import of our own code in the sources of a package: other packages by name, rooms by path. */
function importsOf(folder: string): Import[] {
  return globSync(`${folder}/src/**/*.{ts,tsx}`).flatMap((file) => {
    const text = readFileSync(file, 'utf8')
    return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => ({ file, target: match[1] ?? '' }))
  })
}

function roomsOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && globSync(`${folder}/${entry.name}/**/*.ts`).length > 0)
    .map(({ name }) => name)
}

describe('architecture', () => {
  it('[W1] the table of rooms names every package that exists, and no other', () => {
    const there = readdirSync('packages').filter((name) => existsSync(`packages/${name}/package.json`))
    expect(Object.keys(packages).toSorted()).toEqual(there.toSorted())
  })

  it.each(Object.entries(packages))('[W1] %s imports only what lies below it', (name, allowed) => {
    const imports = importsOf(`packages/${name}`)
    const own = imports.flatMap(({ file, target }) => {
      const match = /^@hotline\/([^/]+)/.exec(target)
      return match?.[1] && match[1] !== name ? [{ file, package: match[1] }] : []
    })
    expect(own.filter((found) => !allowed.includes(found.package))).toEqual([])
  })

  it('[W1] the table names every room of the server, and no other', () => {
    expect([...serverRooms].toSorted()).toEqual(roomsOf('packages/server/src').toSorted())
  })

  it('[W1] a room of the server imports only rooms below it', () => {
    const wrong: string[] = []
    let seen = 0
    for (const [index, room] of serverRooms.entries()) {
      for (const { file, target } of importsOf(`packages/server/src/${room}`.replace(/\/src\/.*/, ''))) {
        if (!file.startsWith(`packages/server/src/${room}/`) || !target.startsWith('../')) continue
        const other = target.replaceAll('../', '').split('/')[0] ?? ''
        if (!serverRooms.includes(other) || other === room) continue
        seen += 1
        if (serverRooms.indexOf(other) > index) wrong.push(`${file} -> ${target}`)
      }
    }
    expect(wrong).toEqual([])
    expect(seen).toBeGreaterThan(10)
  })

  it('[W2] protocol and core use nothing of Node or of a browser', () => {
    const builtin = ['protocol', 'core']
      .flatMap((name) => importsOf(`packages/${name}`))
      .filter(({ target }) => target.startsWith('node:'))
    expect(builtin).toEqual([])
  })

  it('[W2] only one place of the server reads the environment', () => {
    const readers = globSync('packages/server/src/**/*.ts').filter((file) =>
      readFileSync(file, 'utf8').includes('process.env'),
    )
    expect(readers.filter((file) => !/src\/(config\/|main\.ts)/.test(file))).toEqual([])
  })

  it('[W5] what people run has nothing that only a newer Node than the declared one can read', () => {
    const sources = globSync('packages/{protocol,core,client,server,runner,cli,demo-agent}/src/**/*.ts')
    expect(sources.length).toBeGreaterThan(150)
    // The whole line is run on that Node as well (`npm run floor`); this finds what it does not come past.
    const tooNew = /^\s*(?:await )?using \w+ =|\bDisposableStack\b|\bRegExp\.escape\(|\bPromise\.try\(/m
    expect(
      sources.filter((file) => tooNew.test(readFileSync(file, 'utf8').replaceAll(/\/\*.*?\*\/|\/\/[^\n]*/gs, ''))),
    ).toEqual([])
  })
})
