import { execFile } from 'node:child_process'
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const source = fileURLToPath(new URL('disk-shim.c', import.meta.url))

/** What can fail, as bits; in disk-shim.c too. */
const operations = { write: 1, sync: 2, read: 4, open: 8 } as const
type Operation = keyof typeof operations

/** Linux numbers of errors; `kill` ends the process at that very call. */
const effects = { kill: 0, EIO: 5, ENOSPC: 28, EROFS: 30 } as const
type Effect = keyof typeof effects

/** Size of the shared structure: five words and the name. */
const controlBytes = 5 * 4 + 64

/** A disk that fails when it is told to, for one process that was started with `env`. */
export interface DiskShim {
  readonly env: Readonly<Record<string, string>>
  /**
   * From now on these operations fail, after so many of them have passed (0 when absent), on files whose path ends like
   * this; with a `*` in front: whose path holds the rest.
   */
  fail(on: readonly Operation[], file: string, effect: Effect, after?: number): void
  /** From now on nothing fails. */
  heal(): void
  /** Calls that have failed since the last `fail`. */
  readonly hits: number
}

/** Compiles the library into `dir`; a reason where that cannot be done on this machine. */
export async function compileShim(dir: string): Promise<{ library: string } | { absent: string }> {
  if (process.platform !== 'linux')
    return { absent: `a disk that fails on demand needs Linux, not ${process.platform}` }
  const library = join(dir, 'disk-shim.so')
  try {
    await run('gcc', ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-o', library, source, '-ldl'])
    return { library }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return { absent: 'a disk that fails on demand needs gcc, and there is none in the PATH' }
  }
}

/** `control` is a file of its own for one process. */
export function openShim(library: string, control: string): DiskShim {
  writeFileSync(control, Buffer.alloc(controlBytes))
  const put = (bytes: Buffer, at: number): void => {
    const file = openSync(control, 'r+')
    try {
      writeSync(file, bytes, 0, bytes.length, at)
    } finally {
      closeSync(file)
    }
  }
  const word = (value: number): Buffer => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32LE(value)
    return bytes
  }
  return {
    env: { LD_PRELOAD: library, DISK_SHIM_CONTROL: control },
    fail: (on, file, effect, after = 0) => {
      const bits = on.reduce((sum, operation) => sum | operations[operation], 0)
      const name = Buffer.alloc(64)
      name.write(file, 0, 63)
      put(word(0), 0)
      put(Buffer.concat([word(bits), word(effects[effect]), word(after), word(0), name]), 4)
      put(word(1), 0)
    },
    heal: () => put(word(0), 0),
    get hits() {
      const bytes = Buffer.alloc(4)
      const file = openSync(control, 'r')
      try {
        readSync(file, bytes, 0, 4, 16)
      } finally {
        closeSync(file)
      }
      return bytes.readInt32LE()
    },
  }
}
