import { statfsSync } from 'node:fs'

/** From so many times the reserve on it is said that little is left. */
const warnTimes = 2

/** What is left on the disks that a session would write to: enough, little, or too little to start anything; and in words. */
type DiskRoom = { left: 'enough' } | { left: 'little' | 'too little'; words: string }

/** Looks at the disks of these folders; one that nobody can say anything of counts as good. */
export function lookAtRoom(folders: readonly string[], reserveBytes: number): DiskRoom {
  const all = folders.flatMap((folder) => {
    const free = freeBytes(folder)
    return free === undefined ? [] : [{ folder, free }]
  })
  const least = all.toSorted((a, b) => a.free - b.free)[0]
  if (!least || least.free >= reserveBytes * warnTimes) return { left: 'enough' }
  const [left, reserve] = [least.free, reserveBytes].map((bytes) => `${Math.floor(bytes / 1e6)} MB`)
  const words = `The disk of "${least.folder}" has only ${left} left, and nothing is started below ${reserve} (HOTLINE_DISK_RESERVE_BYTES).`
  return { left: least.free < reserveBytes ? 'too little' : 'little', words }
}

/** Bytes that are left for us on the disk of a folder; undefined where nobody can say. */
function freeBytes(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  } catch {
    return undefined
  }
}
