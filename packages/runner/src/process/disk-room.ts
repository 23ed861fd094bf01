import { statfsSync } from 'node:fs'

/** Bytes that are left for us on the disk of a folder; undefined where nobody can say. */
export function freeBytes(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  } catch {
    return undefined
  }
}

/** Why nothing is to be written there any more, in a sentence for people; undefined where there is room. */
export function whyNoRoom(folders: readonly string[], reserveBytes: number): string | undefined {
  for (const folder of folders) {
    const free = freeBytes(folder)
    if (free === undefined || free >= reserveBytes) continue
    const [left, least] = [free, reserveBytes].map((bytes) => `${Math.floor(bytes / 1e6)} MB`)
    return `The disk of "${folder}" has only ${left} left, and nothing is started below ${least} (HOTLINE_DISK_RESERVE_BYTES). Make room, and start it again.`
  }
  return undefined
}
