import { lstat, mkdir, open, readdir, realpath, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'

/** Where the agent keeps its own files inside a session's cwd. */
export const STATE_FOLDER = '.hotline-demo'

/** How much of a file the agent shows. */
const MAX_SHOWN_BYTES = 64 * 1024

/**
 * The absolute path of `path` inside `cwd`. Throws when it lies outside, also by way of a symbolic link: the nearest
 * part that exists is resolved and must be inside the resolved cwd.
 */
export async function resolveInside(cwd: string, path: string): Promise<string> {
  const root = await realpath(cwd)
  const wanted = isAbsolute(path) && isWithin(cwd, path) ? resolve(root, relative(cwd, path)) : resolve(root, path)
  const real = await resolveExisting(wanted)
  if (!isWithin(root, real)) throw new Error(`${path} is outside of the working folder ${cwd}`)
  return real
}

function isWithin(root: string, path: string): boolean {
  const way = relative(root, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

/** Follows links in the part that exists. A link to nothing is refused: writing through it would create its target. */
async function resolveExisting(path: string): Promise<string> {
  const entry = await lstat(path).catch(() => null)
  if (entry) return realpath(path)
  const parent = dirname(path)
  return parent === path ? path : join(await resolveExisting(parent), basename(path))
}

/** A file's text, at most MAX_SHOWN_BYTES of it; null when there is none. Throws for what is not a file. */
export async function readShown(path: string): Promise<string | null> {
  const entry = await stat(path).catch(() => null)
  if (!entry) return null
  if (!entry.isFile()) throw new Error(`${path} is not a file`)
  const text = await readStart(path)
  return entry.size <= MAX_SHOWN_BYTES ? text : `${text}\n(... ${entry.size - MAX_SHOWN_BYTES} bytes more)`
}

async function readStart(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_SHOWN_BYTES), 0, MAX_SHOWN_BYTES, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}

/** Writes a file and the folders above it. */
export async function writeInside(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
}

const README = `# Scratch project

The Hotline demo agent made this folder's first two files, because the folder was empty.
Nothing in here matters: let the agent write, refuse it, delete everything.
`

const NOTES = `# Notes

- Things to try: write hello.md, run, plan, long, question, help
`

/** Gives an empty folder a README.md and a notes.md. Returns whether it was empty; dot folders do not count. */
export async function ensureScratchProject(cwd: string): Promise<boolean> {
  const entries = await readdir(cwd)
  if (entries.some((name) => !name.startsWith('.'))) return false
  await writeFile(join(cwd, 'README.md'), README)
  await writeFile(join(cwd, 'notes.md'), NOTES)
  return true
}

/** The name of a file to read first: README.md, else the first ordinary one; null in a folder without files. */
export async function pickFile(cwd: string): Promise<string | null> {
  const entries = await readdir(cwd, { withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith('.')).map((entry) => entry.name)
  return files.find((name) => /^readme\.md$/i.test(name)) ?? files.toSorted()[0] ?? null
}
