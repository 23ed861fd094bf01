import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Follow } from '@hotline/client/link'
import { type ChildGuard, guardChildren } from '@hotline/testing/child-guard'
import { openTempDir } from '@hotline/testing/temp-dir'
import type { Holds } from './compose.ts'
import { linkOverCore, serve, type TestLink } from './link-over-core.ts'
import type { ToRunner, ToServer } from './runner-process.ts'
import { World } from './world.ts'

const program = fileURLToPath(new URL('runner-process.ts', import.meta.url))

/** A server of memory in this process, and a runner in a process of its own that can be killed and started again. */
export interface Place extends AsyncDisposable {
  readonly world: World
  readonly link: TestLink
  readonly cwd: string
  readonly guard: ChildGuard
  readonly dataDir: string
  /** What the agent `scripted` plays for each prompt. */
  script(steps: unknown): Promise<void>
  start(as?: Holds): Promise<void>
  /**
   * Where lines are counted, those of the present life, which a process that is killed cannot tell: before a kill that need not come at
   * just this moment, and at the end.
   */
  count(): Promise<void>
  /** As with SIGKILL. */
  kill(): Promise<void>
  pid(): number | undefined
}

/** Opens one, with the runner started. */
export async function openPlace(holds: Holds = 'itself'): Promise<Place> {
  const temp = await openTempDir('hotline-restart-')
  const cwd = join(temp.path, 'work')
  mkdirSync(cwd)
  const guard = guardChildren({ directories: [temp.path] })
  const world = new World()
  const link = linkOverCore(world)
  let child: ChildProcess | undefined
  const start = async (as: Holds = holds): Promise<void> => {
    const mine = fork(program, [temp.path, as], {
      cwd: temp.path,
      env: { PATH: process.env['PATH'], ...guard.environment },
      stdio: 'inherit',
    })
    child = mine
    mine.on('error', () => undefined)
    const send = (message: ToRunner): void => {
      // It may be killed between the look and the word.
      if (mine.connected) mine.send(message, () => undefined)
    }
    const follows = new Map<string, Follow>()
    world.hint = () => send({ k: 'hint' })
    await new Promise<void>((resolve) => {
      mine.on('message', (message: ToServer) => {
        switch (message.k) {
          case 'ready':
            return resolve()
          case 'follow': {
            const { id, stream, after } = message
            const follow = link.follow(stream, after, {
              events: (events, epoch) => send({ k: 'events', id, events, epoch }),
              caughtUp: (cursor) => send({ k: 'caughtUp', id, cursor }),
            })
            follows.set(id, follow)
            return
          }
          case 'unfollow':
            return follows.get(message.id)?.close()
          case 'command': {
            const { id, stream, type, data } = message
            void link
              .command(stream, type as 'lease.take', data as Record<string, never>, { id })
              .then((outcome) => send({ k: 'answer', id, outcome }))
            return
          }
          case 'request': {
            const { id, method, path, body } = message
            return send({ k: 'response', id, answer: { ok: true, value: serve(world, method, path, body) } })
          }
          case 'counted':
            return undefined
        }
      })
    })
  }
  const kill = async (): Promise<void> => {
    const mine = child
    child = undefined
    if (!mine || mine.exitCode !== null || mine.signalCode !== null) return
    guard.noteDescendants()
    mine.kill('SIGKILL')
    await once(mine, 'exit')
  }
  const count = async (): Promise<void> => {
    const mine = child
    if (process.env['NODE_V8_COVERAGE'] === undefined || !mine?.connected) return
    const counted = new Promise<void>((resolve) => {
      mine.on('message', ({ k }: ToServer) => k === 'counted' && resolve())
      mine.once('exit', () => resolve())
    })
    mine.send({ k: 'count' } satisfies ToRunner, () => undefined)
    await counted
  }
  await start()
  return {
    world,
    link,
    cwd,
    guard,
    dataDir: join(temp.path, '.hotline'),
    script: (steps: unknown) => writeFile(join(temp.path, 'script.json'), JSON.stringify(steps)),
    start,
    count,
    kill,
    pid: () => child?.pid,
    [Symbol.asyncDispose]: async () => {
      await count()
      await kill()
      await guard[Symbol.asyncDispose]()
      await temp.remove()
    },
  }
}
