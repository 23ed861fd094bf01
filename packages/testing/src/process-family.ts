import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The members of a family of processes beside its first one, each a way to get out of sight. */
export const familyMembers = ['deaf', 'session', 'forked', 'clean', 'heart'] as const

/** Writes down its pid, and lives. */
const live = (name: string): string => `echo $$ > ${name}.pid; while :; do sleep 0.05; done`

/**
 * A shell script that starts five processes: one ignores SIGTERM, one leads a session of its own, one was forked twice, one
 * has an empty environment, and one writes a number, one higher each time, to its output and into the file `heart`. Each
 * writes its pid into a file of its folder.
 */
export const familyScript = `
sh -c 'trap "" TERM; ${live('deaf')}' &
setsid sh -c '${live('session')}' &
setsid -f sh -c '${live('forked')}'
env -i /bin/sh -c 'PATH=/usr/bin:/bin; ${live('clean')}' &
sh -c 'echo $$ > heart.pid; i=0; while :; do i=$((i+1)); echo $i; echo $i >> heart; sleep 0.02; done' &
wait
`

/** One more that has cut every tie: forked twice, in a session of its own, with an empty environment. */
export const strangerScript = `env -i /usr/bin/setsid -f /bin/sh -c 'PATH=/usr/bin:/bin; ${live('stranger')}'`

/** The pids that a family wrote down in its folder; undefined until all of them have. */
export function readFamily<const Name extends string>(
  folder: string,
  names: readonly Name[],
): Record<Name, number> | undefined {
  const pids = names.map((name) => [name, readPid(join(folder, `${name}.pid`))] as const)
  return pids.every(([, pid]) => pid > 0) ? (Object.fromEntries(pids) as Record<Name, number>) : undefined
}

/** How far the heartbeat got. */
export function readHeart(folder: string): number {
  const file = join(folder, 'heart')
  return existsSync(file) ? Number(readFileSync(file, 'utf8').trim().split('\n').at(-1)) : 0
}

function readPid(file: string): number {
  return existsSync(file) ? Number(readFileSync(file, 'utf8').trim()) : 0
}
