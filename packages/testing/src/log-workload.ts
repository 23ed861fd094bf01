import type { Lists } from '@hotline/server/log/lists'
import type { Append, LogStore, NewEvent } from '@hotline/server/log/log-store'
import { agentEvent, bareEvent, findCommand, readAll, wireText } from './log-bench.ts'
import { sessionRow } from './log-contract-append.ts'
import { oddTexts } from './log-contract-read.ts'
import type { SeededRandom } from './seed.ts'

const sessions = ['one', 'two', 'three', 'four']
const streams = [...sessions.map((session) => `session:${session}`), 'task:t1', 'project:p1', 'server:main']

function randomEvent(random: SeededRandom): NewEvent {
  if (random.chance(0.2)) return bareEvent({ n: random.int(0, 1000), text: random.pick(oddTexts) })
  const text = random.pick([...oddTexts, random.bytes(random.int(1, 2000)).toString('latin1')])
  return {
    ...agentEvent(text, random.chance(0.7) ? `message:${random.int(1, 9)}` : undefined),
    ...(random.chance(0.3) ? { channel: 'web:1' } : {}),
    ...(random.chance(0.3) ? { cause: `c${random.int(1, 99)}` } : {}),
  }
}

function randomAppend(random: SeededRandom, turn: number): Append {
  const stream = random.pick(streams)
  const session = random.pick(sessions)
  return {
    stream,
    // A number is right now and then only; the refusals have to be the same everywhere too.
    expect: random.chance(0.8) ? 'any' : random.int(0, 20),
    events: Array.from({ length: random.int(0, 5) }, () => randomEvent(random)),
    ...(random.chance(0.3) ? { state: JSON.stringify({ turn, text: random.pick(oddTexts) }) } : {}),
    ...(random.chance(0.1) ? { generation: random.int(1, 4) } : {}),
    commands: random.chance(0.4)
      ? [{ principal: 'person:a', id: `c${random.int(1, 60)}`, bodyHash: 'ab', answer: `{"turn":${turn}}` }]
      : [],
    rows: random.chance(0.4)
      ? [
          random.chance(0.3)
            ? { table: 'sessions', insert: sessionRow(session, { title: `t${turn}` }) }
            : {
                table: 'sessions',
                put: sessionRow(session, { title: random.pick(oddTexts), needs: random.int(0, 2) }),
              },
        ]
      : [],
  }
}

/** Appends and erases at random, one after the other, and answers what the store said each time. */
export async function runLogWorkload(store: LogStore, random: SeededRandom, turns: number): Promise<readonly string[]> {
  const said: string[] = []
  for (let turn = 0; turn < turns; turn += 1) {
    if (random.chance(0.05)) {
      const subject = random.chance(0.5) ? `message:${random.int(1, 9)}` : undefined
      const upTo = random.int(1, 40)
      said.push(`erased ${await store.erase(random.pick(streams), { subject, upTo })}`)
      continue
    }
    const group = Array.from({ length: random.chance(0.2) ? 2 : 1 }, () => randomAppend(random, turn))
    const result = await store.append(group)
    said.push(
      result.ok
        ? result.appended.map(({ stream, epoch, head }) => `${stream} ${epoch} ${head}`).join(', ')
        : JSON.stringify(result),
    )
  }
  return said
}

/** All that can be read: heads, states, events byte for byte, commands and lists. */
export async function dumpLog(store: LogStore, lists: Lists): Promise<readonly unknown[]> {
  const dump: unknown[] = [await lists.sessions({ projects: ['p1'], limit: 100 })]
  for (const stream of streams) {
    dump.push(await store.head(stream), (await readAll(store, stream)).map(wireText), await store.verify(stream))
    const subjects = await store.readSubjects(stream, ['message:1', 'message:2', 'message:3'], 3, 1000)
    dump.push(subjects.map(({ seq, subject, type }) => ({ seq, subject, type })))
    for (let id = 1; id <= 60; id += 1) dump.push(await findCommand(store, stream, 'person:a', `c${id}`))
  }
  return dump
}
