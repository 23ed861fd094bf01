import { dirname } from 'node:path'
import { guardChildren } from '@hotline/testing/child-guard'
import { afterEach, expect, test } from 'vitest'
import { openNest, removeGroup } from '../src/process/cgroup.ts'

const guard = guardChildren()
afterEach(() => guard.assertNoSurvivors())

/** What another runner does when it begins, again and again. */
const sweeping = `
  import { readdirSync, rmdirSync } from 'node:fs'
  const endAt = performance.now() + 60_000
  console.log('sweeping')
  while (performance.now() < endAt) {
    for (const name of readdirSync(process.argv[1])) {
      if (name.startsWith('hotline-')) try { rmdirSync(process.argv[1] + '/' + name) } catch {}
    }
  }`

test('[R100] runners that begin in the same moment do not take each other’s groups away', async ({ skip }) => {
  const nest = openNest()
  const first = nest?.start(`test-${process.pid}`, () => undefined).cgroup
  if (nest === undefined || first === undefined) return skip('this process may not make control groups')
  removeGroup(first)
  const args = ['--input-type=module', '-e', sweeping, dirname(first)]
  await using sweeper = await guard.startChild({ command: process.execPath, args })
  await sweeper.waitForLine(/sweeping/)
  for (let at = 0; at < 300; at += 1) {
    const { cgroup } = nest.start(`test-${process.pid}-${at}`, () => undefined)
    expect(cgroup).toBeDefined()
    expect(openNest()).toBeDefined()
    removeGroup(cgroup ?? '')
  }
})
