import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/**
 * Control groups of the kernel, version 2: what a process starts is in its group, whatever it does to its parents, its
 * session or its environment. The group is frozen and killed as one. Needs no right but to make folders beside one's own
 * group: root has it, so has a service that was given its group (`Delegate=yes`), and so have some containers.
 */

/** What a group must know to be of use. */
const needed = ['cgroup.freeze', 'cgroup.kill', 'cgroup.events']

/** A place where groups can be made. */
export interface Nest {
  /** Calls `spawn`, which starts processes before it returns, such that they begin their lives in a group of their own. */
  start<T>(name: string, spawn: () => T): { result: T; cgroup: string | undefined }
}

/** Undefined where this process may not make groups, or the kernel knows none that can be frozen and killed. */
export function openNest(): Nest | undefined {
  const own = findOwn()
  if (own === undefined) return undefined
  let isBroken = false
  const nest: Nest = {
    start(name, spawn) {
      // A child is born into the group of its parent, which is us: so nothing can happen before it is in its own.
      const group = isBroken ? undefined : enterNew(join(own, `hotline-${name}`))
      if (group === undefined) return { result: spawn(), cgroup: undefined }
      try {
        const result = spawn()
        isBroken = !tryTo(() => enter(own))
        // Never one that we are in: it would be frozen and killed with us inside.
        return { result, cgroup: isBroken ? undefined : group }
      } catch (error) {
        isBroken = !tryTo(() => enter(own))
        if (!isBroken) removeGroup(group)
        throw error
      }
    },
  }
  // Whether all of it works is known once it was done.
  const probe = enterNew(join(own, `hotline-probe-${process.pid}`))
  if (probe === undefined) return undefined
  const files = readdirSync(probe)
  const works = tryTo(() => enter(own)) && needed.every((file) => files.includes(file))
  removeGroup(probe)
  // Those of runners that were killed; the kernel keeps any in which something runs.
  for (const folder of works ? foldersIn(own) : []) if (/\/hotline-[^/]+$/.test(folder)) tryTo(() => rmdirSync(folder))
  return works ? nest : undefined
}

/** Processes in a group and in those that were made inside it. Empty where it is gone. */
export function pidsOf(cgroup: string): readonly number[] {
  const inside = foldersIn(cgroup).flatMap((folder) => pidsOf(folder))
  return [...(readText(join(cgroup, 'cgroup.procs')) ?? '').split('\n').filter(Boolean).map(Number), ...inside]
}

/** Asks the kernel to freeze all of a group, or to let it go on. Throws where it does not take that. */
export function askToFreeze(cgroup: string, want: 'frozen' | 'going'): void {
  writeFileSync(join(cgroup, 'cgroup.freeze'), want === 'frozen' ? '1' : '0')
}

/** True once every process of the group stands still. */
export function isFrozen(cgroup: string): boolean {
  return /^frozen 1$/m.test(readText(join(cgroup, 'cgroup.events')) ?? '')
}

/** Kills all of a group at once, those too that are born in this moment; false where the kernel does not take that. */
export function killGroup(cgroup: string): boolean {
  return tryTo(() => writeFileSync(join(cgroup, 'cgroup.kill'), '1'))
}

/** Removes an empty group; one that is not empty, or is gone, stays as it is. */
export function removeGroup(cgroup: string): void {
  for (const folder of foldersIn(cgroup)) removeGroup(folder)
  tryTo(() => rmdirSync(cgroup))
}

/** The group that this process is in, where the hierarchy of version 2 can be seen. */
function findOwn(): string | undefined {
  const path = /^0::(\/.*)$/m.exec(readText('/proc/self/cgroup') ?? '')?.[1]
  // 36 35 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw
  for (const line of (readText('/proc/self/mountinfo') ?? '').split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root = '/', mountPoint = ''] = before.split(' ')
    if (path === undefined || !after.startsWith('cgroup2 ')) continue
    const inside = relative(root, path)
    const own = inside.startsWith('..') ? undefined : join(mountPoint, inside)
    if (own !== undefined && readText(join(own, 'cgroup.procs'))?.split('\n').includes(String(process.pid))) return own
  }
  return undefined
}

/** Makes a group and goes into it; undefined where that is not allowed. */
function enterNew(group: string): string | undefined {
  // An empty one may be taken away by another runner that begins in this moment; one that somebody is in is not.
  for (let tries = 0; tries < 100; tries += 1) {
    tryTo(() => mkdirSync(group))
    if (tryTo(() => enter(group))) return group
  }
  removeGroup(group)
  return undefined
}

function enter(cgroup: string): void {
  writeFileSync(join(cgroup, 'cgroup.procs'), String(process.pid))
}

function foldersIn(cgroup: string): readonly string[] {
  try {
    return readdirSync(cgroup, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(cgroup, name))
  } catch {
    return []
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Files of the kernel say no by an error code; what remains then is the next best way. */
function tryTo(act: () => void): boolean {
  try {
    act()
    return true
  } catch {
    return false
  }
}
