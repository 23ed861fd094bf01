import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findExecutable } from './child.ts'

const run = promisify(execFile)

const sourceFolder: string = fileURLToPath(new URL('../load', import.meta.url))
/** Compiled programs, and the report of the last run; ignored by git, and safe to delete. */
export const cacheFolder: string = fileURLToPath(new URL('../.cache', import.meta.url))

const programs = {
  wsload: ['wsload.c', 'options.c', 'templates.c', 'publish.c', 'deliver.c', 'connection.c'],
  httpload: ['httpload.c', 'templates.c'],
  floor: ['floor.c'],
} as const
/** The programs in C: the two load generators and the bare server. */
export type Program = keyof typeof programs

const compilerFlags = ['-std=gnu17', '-O2', '-Wall', '-Wextra']
/** A compiler that takes longer is stuck. */
const compileTimeoutMs = 60_000

/** A compiled program, or the reason why there is none. */
export type Compiled = { path: string } | { absent: string }

/** Compiles a program unless the cache has it. Throws when the compiler refuses the source: that is a bug here. */
export async function compile(program: Program): Promise<Compiled> {
  if (process.platform !== 'linux') return { absent: `${program} needs Linux (epoll), this is ${process.platform}` }
  const compiler = findExecutable('gcc')
  if (compiler === undefined) return { absent: `${program} needs gcc, and there is none in the PATH` }
  const path = join(cacheFolder, `${program}-${await digestOf(compiler)}`)
  if (existsSync(path)) return { path }
  await mkdir(dirname(path), { recursive: true })
  const building = `${path}.${process.pid}`
  const sources = programs[program].map((name) => join(sourceFolder, name))
  try {
    await run(compiler, [...compilerFlags, '-o', building, ...sources], { timeout: compileTimeoutMs })
    await rename(building, path)
  } finally {
    await rm(building, { force: true })
  }
  return { path }
}

/** Over all sources, because headers are shared, and over what makes the same source another program. */
async function digestOf(compiler: string): Promise<string> {
  const hash = createHash('sha256')
  const { stdout } = await run(compiler, ['--version'], { timeout: compileTimeoutMs })
  hash.update(`${stdout}\0${compilerFlags.join(' ')}\0`)
  for (const name of (await readdir(sourceFolder)).toSorted()) {
    if (!/\.[ch]$/.test(name)) continue
    hash.update(`${name}\0`).update(await readFile(join(sourceFolder, name)))
  }
  return hash.digest('hex').slice(0, 16)
}
