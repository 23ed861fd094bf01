// `node packages/runner/test/tree-rounds.ts [rounds] [scan]`: a tree of processes is stopped, let go on and ended, again and again.
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { guardChildren } from '@hotline/testing/child-guard'
import { familyMembers, familyScript, readFamily, readHeart, strangerScript } from '@hotline/testing/process-family'
import { randomSeed, type SeededRandom, seededRandom } from '@hotline/testing/seed'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { runVariable } from '../src/process/environment.ts'
import { type HolderReach, openLocalHolder } from '../src/process/local-holder.ts'
import { readUse } from '../src/process/process-table.ts'

/** How a round is done. */
export interface Round {
  reach: HolderReach
  random: SeededRandom
  /** How long the tree is looked at while it stands still. */
  stillMs: number
}

/** What one round saw. Whatever does not hold throws. */
export interface RoundDone {
  reach: string
  processes: number
  freezeMs: number
  endMs: number
}

/** Of a family in which one has cut every tie, where that can be held: everything stands still, goes on whole, and ends. */
export async function runRound({ reach, random, stillMs }: Round): Promise<RoundDone> {
  await using temp = await openTempDir('hotline-tree-')
  await using guard = guardChildren({ directories: [temp.path] })
  await using holder = openLocalHolder({ folder: join(temp.path, 'children'), reach })
  const run = randomBytes(16).toString('hex')
  const env = { PATH: process.env['PATH'] ?? '', [runVariable]: run }
  const script = reach === 'scan' ? familyScript : `${strangerScript}\n${familyScript}`
  const held = await holder.start({ session: 's1', argv: ['/bin/sh', '-c', script], cwd: temp.path, env, run })
  const names = reach === 'scan' ? familyMembers : ([...familyMembers, 'stranger'] as const)
  let printed = ''
  void (async () => {
    for await (const chunk of held.stdout) printed += chunk.toString()
  })()
  await waitFor(() => readFamily(temp.path, names), { what: 'the family' })
  await waitFor(() => readHeart(temp.path) > random.int(1, 20), { what: 'a heartbeat' })
  guard.noteDescendants()
  const members = guard.findSurvivors().map(({ pid }) => pid)
  const cpuMs = (): number => members.reduce((sum, pid) => sum + (readUse(pid)?.cpuMs ?? 0), 0)

  const beganAt = performance.now()
  const frozen = await held.freeze()
  const freezeMs = performance.now() - beganAt
  if (!frozen.done) throw new Error(frozen.reason)
  const before = { heart: readHeart(temp.path), cpuMs: cpuMs() }
  const until = performance.now() + stillMs
  await waitFor(() => performance.now() > until, { what: 'time to pass', deadlineMs: stillMs + 30_000 })
  const after = { heart: readHeart(temp.path), cpuMs: cpuMs() }
  if (after.heart !== before.heart || after.cpuMs !== before.cpuMs) {
    throw new Error(`it went on while it was stopped: ${JSON.stringify({ before, after })}`)
  }
  const going = await held.thaw()
  if (!going.done) throw new Error(going.reason)
  await waitFor(() => readHeart(temp.path) > before.heart + 3, { what: 'a heartbeat after the pause' })
  await waitFor(() => Number(printed.trim().split('\n').at(-1)) > before.heart, { what: 'output after the pause' })
  const gap = printed
    .trim()
    .split('\n')
    .findIndex((line, index) => Number(line) !== index + 1)
  if (gap !== -1) throw new Error(`output is missing after line ${gap}`)

  if (random.chance(0.5)) await held.freeze()
  const endedAt = performance.now()
  const left = await held.end(graceMs)
  const endMs = performance.now() - endedAt
  const survivors = guard.findSurvivors().map(({ pid, command }) => `${pid} ${command}`)
  if (left.length > 0 || survivors.length > 0) throw new Error(`left: ${[...left, ...survivors].join(', ')}`)
  if (readdirSync(join(temp.path, 'children')).length > 0) throw new Error('its record is left')
  return { reach: held.reach, processes: frozen.processes, freezeMs, endMs }
}

/** What an agent is given by default before it is killed. */
const graceMs = 2_000

if (process.argv[1] === import.meta.filename) {
  const rounds = Number(process.argv[2] ?? 50)
  const seed = randomSeed('rounds of trees')
  const random = seededRandom(seed)
  for (const reach of (process.argv[3] ?? 'best,scan').split(',') as HolderReach[]) {
    const done: RoundDone[] = []
    for (let round = 0; round < rounds; round += 1) done.push(await runRound({ reach, random, stillMs: 5_000 }))
    const most = (of: (round: RoundDone) => number): string => `${Math.round(Math.max(...done.map(of)))}`
    console.log(
      `${reach} (${done[0]?.reach}): ${done.length} rounds, at most ${most(({ processes }) => processes)} processes, stopped within ${most(({ freezeMs }) => freezeMs)} ms, ended within ${most(({ endMs }) => endMs)} ms, nothing left`,
    )
  }
}
