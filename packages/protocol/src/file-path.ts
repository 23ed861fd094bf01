import { z } from 'zod'

/** Files in the folder of a session, from there and with `/`: none of them leads anywhere else, and each has one spelling. */
export const FilePaths = z
  .array(z.string().min(1).max(4_096).refine(isInside, 'is no file in the folder of a session'))
  .max(1_000)

function isInside(path: string): boolean {
  return !path.includes('\0') && path.split('/').every((name) => name !== '' && name !== '.' && name !== '..')
}
