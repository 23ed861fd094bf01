import { closeSync, fdatasyncSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { runAppendLoop } from './append-loop.ts'

// The floor of durability: the bytes of a batch in one write into a file whose blocks exist already, then fdatasync.
// Nothing but data has to reach the disk.

const fileBytes = 64 * 1024 * 1024

await runAppendLoop(({ directory }) => {
  const file = openSync(join(directory, 'preallocated'), 'w+')
  const zeros = Buffer.alloc(1024 * 1024)
  for (let at = 0; at < fileBytes; at += zeros.length) writeSync(file, zeros, 0, zeros.length, at)
  fsyncSync(file)
  let position = 0
  let last = Buffer.alloc(0)
  return {
    commit: (events) => {
      const bytes = Buffer.concat(events)
      if (position + bytes.length > fileBytes) position = 0
      writeSync(file, bytes, 0, bytes.length, position)
      fdatasyncSync(file)
      position += bytes.length
      last = bytes
    },
    // It goes round and round in its blocks: what can be looked at is the last commit.
    misplaced: () => {
      const stored = Buffer.alloc(last.length)
      readSync(file, stored, 0, stored.length, position - last.length)
      return stored.equals(last) ? 0 : last.length
    },
    close: () => closeSync(file),
  }
})
