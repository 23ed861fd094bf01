import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { shellPayloads } from '../src/shell-payloads.ts'
import { openTempDir } from '../src/temp-dir.ts'

/** Programs as they would be called by somebody who builds a command line out of text, or forgets the `--`. */
const careless: readonly ((text: string) => readonly string[])[] = [
  (text) => ['sh', '-c', `echo ${text}`],
  (text) => ['sh', '-c', `echo "${text}"`],
  (text) => ['sh', '-c', `echo '${text}'`],
  (text) => ['sh', '-c', `false ${text}`],
  (text) => ['sh', '-c', `(echo ${text})`],
  (text) => ['sh', '-c', `echo ${decodeURIComponent(text)}`],
  (text) => ['sh', '-c', `echo '${decodeURIComponent(text)}'`],
  (text) => ['env', text],
  (text) => ['sort', text, '/dev/null'],
  (text) => ['git', 'ls-remote', text, '.'],
  (text) => ['tar', '-cf', '/dev/null', '--checkpoint=1', text, '/etc/hostname'],
  (text) => [process.execPath, text],
]

test('[T46] [T47] each payload is real: where text is read as a command or an option, it leaves its file behind', async () => {
  const dir = await openTempDir('hl-')
  const canary = join(dir.path, 'canary')
  const payloads = shellPayloads(canary)
  expect(new Set(payloads).size).toBe(payloads.length)
  expect(payloads.length).toBeGreaterThan(200)
  const harmless = payloads.filter((text) => !careless.some((call) => leaves(call, text)))
  expect(harmless).toEqual([])
  await dir.remove()

  function leaves(call: (text: string) => readonly string[], text: string): boolean {
    try {
      const [program = '', ...args] = call(text)
      spawnSync(program, args, { cwd: dir.path, stdio: 'ignore' })
    } catch {
      return false
    }
    const isThere = existsSync(canary)
    rmSync(canary, { recursive: true, force: true })
    return isThere
  }
})
