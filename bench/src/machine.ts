import { execFile } from 'node:child_process'
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findPostgresBinaries } from '@hotline/testing/postgres-binaries'
import { findExecutable } from './child.ts'
import { quantile } from './statistics.ts'
import { durableStreamsPeer } from './subjects/http-peers.ts'

/** What the numbers were measured on, as lines for the report. */
export type Machine = Readonly<Record<string, string>>

/** Describes the machine; `scratch` is on the disk that is measured, `placement` says who stays on which processor. */
export async function describeMachine(
  scratch: string,
  placement: { serverCpu: number | undefined; loadCpu: number | undefined },
): Promise<Machine> {
  const sync = measureSync(scratch)
  return {
    processor: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} available`,
    memory: `${Math.round(totalmem() / 1024 ** 3)} GiB`,
    system: `${process.platform} ${process.arch}, ${release()}`,
    disk: `${fileSystemOf(scratch)}, fdatasync p50 ${sync.p50Us} µs, p99 ${sync.p99Us} µs (4 KiB, in place)`,
    placement:
      placement.serverCpu === undefined
        ? 'not pinned'
        : `server on processor ${placement.serverCpu}, load on processor ${placement.loadCpu}`,
    node: `${process.version}, SQLite ${process.versions['sqlite'] ?? 'unknown'}`,
    packages: [
      ...['ws', 'socket.io', 'fastify', 'pg'].map((name) => `${name} ${versionOf(name)}`),
      `${durableStreamsPeer.name} ${durableStreamsPeer.version}`,
    ].join(', '),
    PostgreSQL: await postgresVersion(),
    compiler: await compilerVersion(),
  }
}

function versionOf(name: string): string {
  try {
    const path = createRequire(import.meta.url).resolve(`${name}/package.json`)
    return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
  } catch {
    return 'absent'
  }
}

async function postgresVersion(): Promise<string> {
  const search = findPostgresBinaries()
  if (search.kind === 'missing') return search.reason
  const { stdout } = await promisify(execFile)(join(search.binaries.directory, 'postgres'), ['--version'])
  return stdout.trim()
}

async function compilerVersion(): Promise<string> {
  const compiler = findExecutable('gcc')
  if (compiler === undefined) return 'no gcc: nothing that needs the load generator was measured'
  const { stdout } = await promisify(execFile)(compiler, ['--version'])
  return stdout.split('\n', 1)[0] ?? 'gcc'
}

/** The magic numbers of statfs(2) that matter here. */
const fileSystems: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x794c7630, 'overlayfs'],
  [0x01021994, 'tmpfs (no disk: durability is not measured)'],
])

function fileSystemOf(path: string): string {
  const { type } = statfsSync(path)
  return fileSystems.get(type) ?? `file system 0x${type.toString(16)}`
}

const syncs = 100

function measureSync(folder: string): { p50Us: number; p99Us: number } {
  const path = join(folder, `sync-${process.pid}`)
  const file = openSync(path, 'w')
  const block = Buffer.alloc(4096, 1)
  try {
    writeSync(file, block, 0, block.length, 0)
    fdatasyncSync(file)
    const durationsMs = Array.from({ length: syncs }, () => {
      const start = performance.now()
      writeSync(file, block, 0, block.length, 0)
      fdatasyncSync(file)
      return performance.now() - start
    }).toSorted((a, b) => a - b)
    const us = (q: number): number => Math.round(quantile(durationsMs, q) * 1000)
    return { p50Us: us(0.5), p99Us: us(0.99) }
  } finally {
    closeSync(file)
    rmSync(path, { force: true })
  }
}
