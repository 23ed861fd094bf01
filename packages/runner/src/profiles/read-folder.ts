import { closeSync, constants, existsSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { ProfileProblem } from './problem.ts'
import { type ReadProfile, readProfile } from './yaml/read-profile.ts'
import { fileBytesMax } from './yaml/parse-yaml.ts'

/** Files of profiles in one folder; a runner announces no more than a hundred agents. */
const filesMax = 60

/** Where the profiles of a data directory are. Not in a project: what lies in a repository names no program to start. */
export function profilesFolder(dataDir: string): string {
  return join(dataDir, 'agents')
}

/** The files of profiles in a folder, in the order of their names; none where there is no such folder. */
export function listProfileFiles(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => /\.ya?ml$/i.test(name) && !name.startsWith('.'))
    .toSorted()
    .map((name) => join(folder, name))
}

/** Reads all of them; what is wrong with one of them stays with that one. */
export function readProfiles(folder: string): readonly ReadProfile[] {
  const files = listProfileFiles(folder)
  const read = files.slice(0, filesMax).map(readProfileFile)
  return files.length <= filesMax ? read : [...read, ...files.slice(filesMax).map(tooMany)]
}

/** Reads one file. A file that cannot be read is a problem of that file. */
export function readProfileFile(file: string): ReadProfile {
  const reading = readText(file)
  if ('text' in reading) return readProfile(file, reading.text)
  return unread(file, reading.what)
}

function tooMany(file: string): ReadProfile {
  return unread(file, `There are more than ${filesMax} profiles in this folder; this one is not read.`)
}

function unread(file: string, what: string): ReadProfile {
  const problem: ProfileProblem = { file, line: 1, column: 1, what }
  return { ...readProfile(file, ''), problems: [problem] }
}

/**
 * Opened first, looked at then, and without waiting: what lies there may be a pipe, or be swapped. Whoever can write a
 * profile can run programs as us, so it has to be ours alone to write.
 */
function readText(file: string): { text: string } | { what: string } {
  let handle: number
  try {
    handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    return { what: `The file cannot be read: ${codeOf(error)}.` }
  }
  try {
    const { mode, uid, size } = fstatSync(handle)
    if ((mode & constants.S_IFMT) !== constants.S_IFREG)
      return { what: 'This is no file. Leave it out of this folder.' }
    if (process.platform !== 'win32') {
      const mine = process.getuid?.()
      if (uid !== mine && uid !== 0)
        return { what: 'The file belongs to somebody else, who could have anything started by it.' }
      if ((mode & 0o022) !== 0)
        return { what: `Others can write this file, and have anything started by it. Run: chmod go-w '${file}'` }
    }
    if (size > fileBytesMax)
      return {
        what: `The file has more than ${fileBytesMax / 1024} KiB. A profile is a short text; is it another file?`,
      }
    const bytes = Buffer.alloc(fileBytesMax)
    return { text: bytes.toString('utf8', 0, readSync(handle, bytes, 0, fileBytesMax, 0)) }
  } finally {
    closeSync(handle)
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
