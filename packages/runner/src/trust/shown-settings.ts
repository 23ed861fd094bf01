import { sha256 } from '../sha256.ts'
import type { SettingsFile } from './folder-settings.ts'

/** Files that are named one by one, and characters of all that is shown of them. */
const namedMax = 1_000
const shownChars = 150_000

const lead = (folder: string): string[] => [
  `Agents read these files of ${JSON.stringify(folder)} when they start.`,
  'They can name programs that are run at once, and where the model is reached, before anything is asked.',
]

/**
 * Settings as a person is asked about them, in one text: where they are, each file with its digest, and what is in it. Its
 * digest stands for all of that; each line of a file begins with a bar, so nothing in it can pass for another file.
 */
export function shownSettings(folder: string, files: readonly SettingsFile[]): string {
  let left = shownChars
  const blocks = files.slice(0, namedMax).map((file) => {
    const lines = contentLines(file, left)
    left -= lines.reduce((sum, line) => sum + line.length, 0)
    return [headOf(file), ...lines]
  })
  const rest = files.slice(namedMax)
  const more = rest.length === 0 ? [] : [[`and ${rest.length} more files, together SHA-256 ${digestOf(rest)}`]]
  return [lead(folder), ...blocks, ...more].map((lines) => lines.join('\n')).join('\n\n')
}

function headOf({ path, bytes, digest }: SettingsFile): string {
  const name = /^[\w./@+-]+$/.test(path) ? path : JSON.stringify(path)
  return `${name} (${bytes} bytes)\nSHA-256 ${digest}`
}

function contentLines({ text, bytes }: SettingsFile, left: number): readonly string[] {
  if (text === undefined) return ['(no text, not shown)']
  if (text.length > left) return ['(not shown: the files above it are too long)']
  const lines = text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => `| ${line}`)
  return Buffer.byteLength(text) < bytes && !isNamesOnly(text) ? [...lines, '(more of it is not shown)'] : lines
}

/** Of a file of variables only their names are shown. */
function isNamesOnly(text: string): boolean {
  return text.split('\n').every((line) => line.endsWith('=…'))
}

function digestOf(files: readonly SettingsFile[]): string {
  return sha256(files.map((file) => headOf(file)).join('\n'))
}
