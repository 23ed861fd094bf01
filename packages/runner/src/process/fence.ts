import { statSync } from 'node:fs'

/** What a process, and all that it starts, can do to files. Everything else can be read and not be changed. Absolute paths. */
export interface Fence {
  /** Files and folders that can be changed. */
  writable: readonly string[]
  /** Inside of those, what stays as it is. */
  sealed: readonly string[]
  /** What is not there at all; what is writable inside of it still is. */
  hidden: readonly string[]
  /** A folder that stands for `/tmp`; absent: `/tmp` can be read like everything else. */
  temporary?: string | undefined
}

/** Everything can be read, nothing can be changed, and other processes are not seen. */
const readable = [
  '--unshare-ipc',
  '--cap-drop',
  'ALL',
  '--ro-bind',
  '/',
  '/',
  '--dev',
  '/dev',
  '--proc',
  '/proc',
] as const

/**
 * A fence in the words of bubblewrap, for the inside of a namespace of process ids. Mounts come in their order: what is hidden,
 * then what is writable, then what is sealed, each over what was before. Paths that are not there are left out, but for
 * folders to be sealed, which somebody could make. Capabilities are dropped, so a root inside mounts nothing anew.
 */
export function fenceFlags({ writable, sealed, hidden, temporary }: Fence): readonly string[] {
  const there = hidden.filter(isThere)
  const folders = there.filter((path) => statSync(path).isDirectory())
  const files = there.filter((path) => !folders.includes(path))
  return [
    ...readable,
    ...(temporary === undefined ? [] : ['--bind', temporary, '/tmp']),
    ...folders.flatMap((path) => ['--tmpfs', path]),
    ...files.flatMap((path) => ['--ro-bind', '/dev/null', path]),
    ...writable.filter(isThere).flatMap((path) => ['--bind', path, path]),
    ...sealed.flatMap((path) => (isThere(path) ? ['--ro-bind', path, path] : ['--tmpfs', path])),
    // Once the places for what is in them are made, nothing else is.
    ...folders.flatMap((path) => ['--remount-ro', path]),
  ]
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
