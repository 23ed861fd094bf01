// Makes the package that is published as @hotline/client: the modules that its entries reach, of the client, the rules and
// the words, compiled, with their types. `node scripts/pack-sdk.ts <folder>` leaves a tarball there and prints its path.
import { execFileSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'

const root = join(import.meta.dirname, '..')
const rooms = ['protocol', 'core', 'client'] as const

/** What a program may import, below `@hotline/client/`, by the module that it is. */
const entries: Readonly<Record<string, string>> = {
  ...named('client', [
    'open-link',
    'link',
    'http-request',
    'message-pack',
    'tabs/open-shared-link',
    'browser-store',
    'node/folder-store',
    'session-view',
    'session-list',
    'session-commands',
    'inbox',
    'decide-many',
    'snoozes',
    'presence',
    'task-board',
    'task-view',
    'queue-words',
    'react',
    'use-readable',
    'uuid',
  ]),
  ...Object.fromEntries(
    globSync('**/*.ts', { cwd: join(root, 'packages/protocol/src') }).map((file) => {
      const module = `protocol/${file.replace(/\.ts$/, '')}`
      return [module, module]
    }),
  ),
}

function named(room: string, modules: readonly string[]): Record<string, string> {
  return Object.fromEntries(modules.map((module) => [module, `${room}/${module}`]))
}

/** Compiles a room as it stands into `<into>/<room>`. */
function compile(room: string, into: string): void {
  const config = join(into, `${room}.json`)
  const source = join(root, 'packages', room)
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    rewriteRelativeImportExtensions: true,
    rootDir: join(source, 'src'),
    outDir: join(into, room),
    types: room === 'client' ? ['node'] : [],
    typeRoots: [join(root, 'node_modules/@types')],
  }
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(source, 'tsconfig.json'),
      compilerOptions,
      include: [join(source, 'src')],
      exclude: [],
    }),
  )
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config], { stdio: 'inherit' })
}

const specifier = /(\bfrom |\bimport\(|^import )'([^']+)'/gm

/** Copies what the entries reach; imports of our rooms become relative. Answers the packages of others that it needs. */
function collect(from: string, into: string): ReadonlySet<string> {
  const foreign = new Set<string>()
  const todo = Object.values(entries)
  const done = new Set<string>()
  for (let module = todo.pop(); module !== undefined; module = todo.pop()) {
    if (done.has(module)) continue
    done.add(module)
    const here = module
    for (const ending of ['.js', '.d.ts']) {
      const text = readFileSync(join(from, here + ending), 'utf8').replaceAll(
        specifier,
        (_, before: string, name: string) => {
          const target = ours(here, name)
          if (target === undefined) {
            foreign.add(packageOf(name))
            return `${before}'${name}'`
          }
          todo.push(target)
          const path = relative(dirname(here), target)
          return `${before}'${path.startsWith('.') ? path : `./${path}`}.js'`
        },
      )
      const file = join(into, here + ending)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
    }
  }
  return foreign
}

/** The module of our rooms that an import means; undefined where it is somebody else's. */
function ours(importer: string, name: string): string | undefined {
  if (name.startsWith('.')) return join(dirname(importer), name).replace(/\.(js|ts)$/, '')
  const [scope, room = '', ...path] = name.split('/')
  return scope === '@hotline' && (rooms as readonly string[]).includes(room) ? [room, ...path].join('/') : undefined
}

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')
}

/** What npm is told of it: the versions are those that the rooms are tested with. */
function describe(foreign: ReadonlySet<string>): object {
  const read = (room: string): Record<string, Record<string, string>> & { version: string } =>
    JSON.parse(readFileSync(join(root, 'packages', room, 'package.json'), 'utf8'))
  const { name, version, description, license, type, peerDependencies, peerDependenciesMeta } = read('client')
  const known: Record<string, string> = Object.assign({}, ...rooms.map((room) => read(room)['dependencies']))
  const needed = [...foreign].filter((of) => !of.startsWith('node:') && peerDependencies?.[of] === undefined)
  const missing = needed.filter((of) => known[of] === undefined)
  if (missing.length > 0) throw new Error(`The SDK needs what no room declares: ${missing.join(', ')}`)
  const exports = Object.fromEntries(
    Object.entries(entries).map(([entry, module]) => [
      `./${entry}`,
      { types: `./dist/${module}.d.ts`, default: `./dist/${module}.js` },
    ]),
  )
  return {
    name,
    version,
    description,
    license,
    type,
    sideEffects: false,
    exports: { ...exports, './package.json': './package.json' },
    files: ['dist'],
    dependencies: Object.fromEntries(needed.toSorted().map((of) => [of, known[of]])),
    peerDependencies,
    peerDependenciesMeta,
    engines: { node: '>=22' },
  }
}

/** Compiles, collects and packs; answers the path of the tarball. */
function pack(folder: string): string {
  const temp = mkdtempSync(join(tmpdir(), 'hotline-sdk-'))
  try {
    const [compiled, staged] = [join(temp, 'compiled'), join(temp, 'package')]
    for (const made of [compiled, staged, folder]) mkdirSync(made, { recursive: true })
    for (const room of rooms) compile(room, compiled)
    const foreign = collect(compiled, join(staged, 'dist'))
    writeFileSync(join(staged, 'package.json'), `${JSON.stringify(describe(foreign), undefined, 2)}\n`)
    cpSync(join(root, 'LICENSE'), join(staged, 'LICENSE'))
    cpSync(join(root, 'packages/client/README.md'), join(staged, 'README.md'))
    const told = execFileSync('npm', ['pack', '--silent', '--pack-destination', resolve(folder)], { cwd: staged })
    return join(resolve(folder), told.toString().trim())
  } finally {
    rmSync(temp, { recursive: true, force: true })
  }
}

const [folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error('Say in which folder the tarball shall be: npm run pack:sdk -- <folder>')
  process.exitCode = 2
} else {
  console.log(pack(folder))
}
