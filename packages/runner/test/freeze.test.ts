import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { guardChildren } from '@hotline/testing/child-guard'
import { familyMembers, familyScript, readFamily, readHeart, strangerScript } from '@hotline/testing/process-family'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { describe, expect, test } from 'vitest'
import { runVariable } from '../src/process/environment.ts'
import type { HeldProcess } from '../src/process/holder.ts'
import { type HolderReach, openLocalHolder } from '../src/process/local-holder.ts'
import { listEntries, readUse } from '../src/process/process-table.ts'
import { runRound } from './tree-rounds.ts'

/** A family that runs, and what its heartbeat has printed. */
async function openFamily(reach: HolderReach, script = familyScript) {
  const temp = await openTempDir()
  const guard = guardChildren({ directories: [temp.path] })
  const holder = openLocalHolder({ folder: join(temp.path, 'children'), reach })
  const run = randomBytes(16).toString('hex')
  const env = { PATH: process.env['PATH'] ?? '', [runVariable]: run }
  const held = await holder.start({ session: 's1', argv: ['/bin/sh', '-c', script], cwd: temp.path, env, run })
  const printed: string[] = []
  const { stdout } = held
  void (async () => {
    for await (const chunk of stdout) printed.push(chunk.toString())
  })()
  const pids = await waitFor(() => readFamily(temp.path, familyMembers), { what: 'the family' })
  await waitFor(() => readHeart(temp.path) > 3, { what: 'a heartbeat' })
  guard.noteDescendants()
  return {
    held,
    holder,
    guard,
    pids,
    folder: temp.path,
    /** All numbers that it has printed. */
    beats: () => printed.join('').trim().split('\n').map(Number),
    [Symbol.asyncDispose]: async () => {
      await holder[Symbol.asyncDispose]()
      await guard[Symbol.asyncDispose]()
      await temp.remove()
    },
  }
}

/** What all that is known of a tree has used, as the kernel counts it. */
const useOf = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + (readUse(pid)?.cpuMs ?? 0), 0)

/** Time in which a heartbeat that goes on would be seen many times over. */
async function stillFor(folder: string, ms: number): Promise<readonly number[]> {
  const seen = new Set<number>()
  const until = performance.now() + ms
  await waitFor(() => seen.add(readHeart(folder)) && performance.now() > until, { what: 'time to pass' })
  return [...seen]
}

async function freeze(held: HeldProcess): Promise<number> {
  const outcome = await held.freeze()
  if (!outcome.done) throw new Error(outcome.reason)
  return outcome.processes
}

describe.each(['best', 'namespace', 'scan'] as const)('a tree of five, %s', (reach) => {
  test('[R100] [R101] [T50] [T51] it stands still, goes on without a gap, and nothing is left of it after its end', async () => {
    await using family = await openFamily(reach)
    const { held, folder, guard, beats } = family
    const all = guard.findSurvivors().map(({ pid }) => pid)
    expect(all.length).toBeGreaterThan(familyMembers.length)
    expect(await freeze(held)).toBeGreaterThan(familyMembers.length)
    const before = { heart: readHeart(folder), cpuMs: useOf(all) }
    expect(await stillFor(folder, 400)).toEqual([before.heart])
    expect(useOf(all)).toBe(before.cpuMs)
    // Whoever asks again finds it so.
    expect(await freeze(held)).toBeGreaterThan(familyMembers.length)
    expect(await held.thaw()).toMatchObject({ done: true })
    await waitFor(() => beats().length > before.heart + 5, { what: 'more output' })
    expect(beats()).toEqual(beats().map((_, index) => index + 1))
    // Ended while it stands still: it hears that all the same.
    await freeze(held)
    expect(await held.end(300)).toEqual([])
    expect(guard.findSurvivors()).toEqual([])
    expect(readdirSync(join(folder, 'children'))).toEqual([])
  })

  // Inside a namespace processes have other pids than those that are seen from outside.
  if (reach === 'namespace') return
  test('[R102] a sample names each process, with what it uses', async () => {
    await using family = await openFamily(reach)
    const { held, pids } = family
    const sample = await held.sample()
    expect(sample).toMatchObject({ frozen: false, reach: held.reach })
    const found = new Map(sample?.processes.map((one) => [one.pid, one]))
    for (const pid of [held.pid, ...Object.values(pids)]) expect(found.get(pid)?.memoryBytes).toBeGreaterThan(0)
    expect(found.get(held.pid)?.ppid).toBe(0)
    expect(found.get(pids.heart)?.ppid).toBe(held.pid)
    expect(Math.abs(Date.parse(found.get(held.pid)?.startedAt ?? '') - Date.parse(held.startedAt))).toBeLessThan(2_000)
    const heartMs = found.get(pids.heart)?.cpuMs ?? 0
    await waitFor(
      async () => ((await held.sample())?.processes.find(({ pid }) => pid === pids.heart)?.cpuMs ?? 0) > heartMs,
      { what: 'CPU time of the heartbeat' },
    )
    await freeze(held)
    const frozen = await held.sample()
    expect([frozen?.frozen, frozen?.count === frozen?.processes.length]).toEqual([true, true])
  })

  test('[R100] what was stopped before stays stopped when the others go on', async () => {
    await using family = await openFamily(reach)
    const { held, pids, folder } = family
    process.kill(pids.heart, 'SIGSTOP')
    const stateOf = (pid: number): string | undefined => listEntries().find((entry) => entry.pid === pid)?.state
    await waitFor(() => stateOf(pids.heart) === 'T', { what: 'a stop' })
    await freeze(held)
    await held.thaw()
    const [first, ...others] = await stillFor(folder, 200)
    expect([first, others]).toEqual([readHeart(folder), []])
    process.kill(pids.heart, 'SIGCONT')
    await waitFor(() => readHeart(folder) > (first ?? 0), { what: 'a heartbeat' })
  })
})

test.each(['best', 'namespace'] as const)(
  '[R103] what has cut every tie is held and ended as well, %s',
  async (reach) => {
    await using family = await openFamily(reach, `${strangerScript}\n${familyScript}`)
    const { held, folder, guard } = family
    if (held.reach === 'scan') return
    await waitFor(() => readFamily(folder, ['stranger']), { what: 'the stranger' })
    guard.noteDescendants()
    const all = guard.findSurvivors().map(({ pid }) => pid)
    await freeze(held)
    const cpuMs = useOf(all)
    await stillFor(folder, 300)
    expect(useOf(all)).toBe(cpuMs)
    expect(await held.end(200)).toEqual([])
    expect(guard.findSurvivors()).toEqual([])
  },
)

test('[R100] what an earlier life left frozen is ended by the next one', async () => {
  await using family = await openFamily('best')
  const { held, guard, folder } = family
  await freeze(held)
  await using next = openLocalHolder({ folder: join(folder, 'children') })
  expect(await next.reap()).toEqual([{ session: 's1', pid: held.pid }])
  expect(guard.findSurvivors()).toEqual([])
})

test('[R103] in a namespace a program is seen by its own pid, and ends as it does outside', async () => {
  await using temp = await openTempDir()
  await using guard = guardChildren({ directories: [temp.path] })
  await using holder = openLocalHolder({ folder: join(temp.path, 'children'), reach: 'namespace' })
  const start = (script: string) => {
    const env = { PATH: process.env['PATH'] ?? '', [runVariable]: randomBytes(16).toString('hex') }
    const argv = ['/bin/sh', '-c', script]
    return holder.start({ session: 's1', argv, cwd: temp.path, env, run: env[runVariable] ?? '' })
  }
  const ends = await start('read -r x; exit 3')
  if (ends.reach !== 'namespace') return
  expect(readUse(ends.pid)?.name).toBe('sh')
  ends.stdin.write('go\n', () => undefined)
  expect(await ends.exited).toEqual({ code: 3, signal: null })
  const killed = await start('sleep 1000')
  process.kill(killed.pid, 'SIGKILL')
  expect(await killed.exited).toEqual({ code: null, signal: 'SIGKILL' })
  // It is asked before it is killed, and what keeps the namespace does not end before it.
  const asked = await start('trap "echo asked; exit 0" TERM; echo ready; while :; do sleep 0.05; done')
  let printed = ''
  void (async () => {
    for await (const chunk of asked.stdout) printed += chunk.toString()
  })()
  await waitFor(() => printed === 'ready\n', { what: 'a program' })
  expect(await asked.end(5_000)).toEqual([])
  expect([printed, await asked.exited]).toEqual(['ready\nasked\n', { code: 0, signal: null }])
  await Promise.all([ends.end(0), killed.end(0)])
  expect(guard.findSurvivors()).toEqual([])
})

test('[R101] [T50] [T51] rounds of trees, as many as time allows here; more by a script', async () => {
  const random = seededRandom(randomSeed('rounds of trees'))
  for (const reach of ['best', 'scan'] as const) {
    const { endMs } = await runRound({ reach, random, stillMs: 300 })
    expect(endMs).toBeGreaterThan(0)
  }
})
