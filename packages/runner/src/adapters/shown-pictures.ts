import { readFileSync } from 'node:fs'
import type { Picture } from './adapter.ts'

/** Pictures as models take them. One that is not there any more is left out: its path stands in the text all the same. */
export function shownPictures(pictures: readonly Picture[]): readonly { type: string; base64: string }[] {
  return pictures.flatMap(({ path, type }) => {
    try {
      return [{ type, base64: readFileSync(path, 'base64') }]
    } catch {
      return []
    }
  })
}
