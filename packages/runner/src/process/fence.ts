import { statSync } from 'node:fs'

/** What a process, and all that it starts, can do to files. Everything else can be read and not be changed. Absolute paths. */
export interface Fence {
  /** Files and folders that can be changed. */
  writable: readonly string[]
  /** Inside of those, what stays as it is. */
  sealed: readonly string[]
  /** What is not there at all. Of two of these lists, the one that names the deeper path counts. */
  hidden: readonly string[]
  /** What is there all the same, inside of what is hidden. */
  readable: readonly string[]
  /** A folder that stands for `/tmp`; absent: `/tmp` can be read like everything else. */
  temporary?: string | undefined
}

/** Other processes are not seen, and a root inside mounts nothing anew. */
const apart = ['--unshare-ipc', '--cap-drop', 'ALL'] as const

const virtual = ['--dev', '/dev', '--proc', '/proc'] as const

/**
 * A fence in the words of bubblewrap, for the inside of a namespace of process ids. Mounts come in their order, and each
 * lies over what was before: so the shallow ones come first, and what is sealed comes last. Paths that are not there are left
 * out, but for folders to be sealed, which somebody could make.
 */
export function fenceFlags({ writable, sealed, hidden, readable, temporary }: Fence): readonly string[] {
  const mounts = [
    ...hidden.map((path) => ({ path, flags: hide(path) })),
    ...readable.map((path) => ({ path, flags: ['--ro-bind', path, path] })),
    ...writable.map((path) => ({ path, flags: ['--bind', path, path] })),
  ].filter(({ path }) => path !== '/' && isThere(path))
  const folders = hidden.filter((path) => isThere(path) && isFolder(path))
  return [
    ...apart,
    ...(writable.includes('/') ? ['--bind', '/', '/'] : ['--ro-bind', '/', '/']),
    ...virtual,
    ...(temporary === undefined ? [] : ['--bind', temporary, '/tmp']),
    ...mounts.toSorted((one, other) => depthOf(one.path) - depthOf(other.path)).flatMap(({ flags }) => flags),
    ...sealed.flatMap((path) => (isThere(path) ? ['--ro-bind', path, path] : ['--tmpfs', path])),
    // Once the places for what is in them are made, nothing else is.
    ...folders.filter((path) => !writable.includes(path)).flatMap((path) => ['--remount-ro', path]),
  ]
}

function hide(path: string): readonly string[] {
  return isThere(path) && isFolder(path) ? ['--tmpfs', path] : ['--ro-bind', '/dev/null', path]
}

function depthOf(path: string): number {
  return path.split('/').length
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

function isFolder(path: string): boolean {
  return statSync(path).isDirectory()
}
