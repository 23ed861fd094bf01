import type { Done, FaultRow, Ground } from '../fault-row.ts'
import { expectSoundLog, openCrowd } from '../crowd.ts'
import { startServerProcess } from '../server-process.ts'
import { untilKilled } from '../untimely.ts'

/** Row 1: the server dies at any moment, again and again, while agents work and people write. */
export const killServer: FaultRow = {
  row: 1,
  name: 'kill -9 of the server at random, at each failpoint and in the middle of a write',
  stores: ['sqlite', 'postgres'],
  run: async (ground: Ground): Promise<Done> => {
    const { random, amount } = ground
    const shim = ground.store === 'sqlite' ? await ground.shim() : { absent: 'PostgreSQL writes its own files' }
    await using server = await startServerProcess({
      ...(await ground.openStore()),
      env: 'absent' in shim ? {} : shim.env,
    })
    const shape = amount === 'some' ? { sessions: 4, readers: 4, lives: 5 } : { sessions: 8, readers: 8, lives: 12 }
    const crowd = await openCrowd(server, random, {
      sessions: shape.sessions,
      readers: Array.from({ length: shape.readers }, () => server.link()),
      machine: server.link('runner'),
    })
    const kinds = ['random', 'failpoint', ...('absent' in shim ? [] : ['write' as const])] as const
    const counts = { kills: 0, 'in a write': 0, 'at a failpoint': 0 }
    for (let life = 0; life < shape.lives; life += 1) {
      const kind = random.pick(kinds)
      await untilKilled(server, crowd, random, kind, shim)
      counts.kills += 1
      if (kind === 'write') counts['in a write'] += 1
      if (kind === 'failpoint') counts['at a failpoint'] += 1
      if ((await server.start()) === 'ended') throw new Error(`the server does not start: ${server.complaints}`)
    }
    await crowd.compare()
    await server.kill()
    await expectSoundLog(
      server,
      crowd.sessions.map(({ stream }) => stream),
    )
    return { counts: { ...counts, reports: crowd.reported, commands: crowd.given, readers: shape.readers } }
  },
}
