import { execFile } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Three pipes of the kernel: our ends as streams, and those of a child as descriptors. */
export interface KernelPipes {
  readonly childEnds: readonly [number, number, number]
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** To be called once the child has its ends, or never will: while ours of them are open, no pipe ends. */
  closeChildEnds(): void
}

/**
 * Opens pipes that a program can also open by name: `echo … > /dev/stderr` and `cat /dev/stdin` fail on what Node makes for
 * its children, which are sockets. Undefined where the system has no named pipes.
 */
export async function openKernelPipes(): Promise<KernelPipes | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'hotline-pipes-'))
  const names = ['stdin', 'stdout', 'stderr'].map((name) => join(folder, name))
  try {
    await run('mkfifo', ['-m', '600', ...names])
    const [stdin, stdout, stderr] = names.map(openBoth) as [Ends, Ends, Ends]
    const childEnds = [stdin.reading, stdout.writing, stderr.writing] as const
    return {
      childEnds,
      stdin: new Socket({ fd: stdin.writing, readable: false, writable: true }),
      stdout: new Socket({ fd: stdout.reading, readable: true, writable: false }),
      stderr: new Socket({ fd: stderr.reading, readable: true, writable: false }),
      closeChildEnds: () => childEnds.forEach((fd) => closeSync(fd)),
    }
  } catch {
    return undefined
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Ends {
  reading: number
  writing: number
}

/** A pipe opens for writing once it is open for reading, and the other way round: a reader that does not wait comes first. */
function openBoth(name: string): Ends {
  const first = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK)
  const writing = openSync(name, constants.O_WRONLY)
  // The program gets one that waits, as programs expect it.
  const reading = openSync(name, constants.O_RDONLY)
  closeSync(first)
  return { reading, writing }
}
