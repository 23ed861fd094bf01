import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, describe, expect, it } from 'vitest'
import type { Bus } from '../../src/log/bus.ts'
import { inLife } from '../../src/log/log-life.ts'
import type { LogStore, NewEvent } from '../../src/log/log-store.ts'
import { openMemoryBus } from '../../src/log/memory-bus.ts'
import { openDatabase } from '../../src/log/open-database.ts'
import { systemClock } from '../../src/machine/clock.ts'
import { systemIds } from '../../src/machine/ids.ts'
import { findPage } from '../../src/search/find.ts'
import { SearchFollower } from '../../src/search/follower.ts'
import type { SearchIndex, Stretch } from '../../src/search/search-index.ts'
import { SqliteIndex } from '../../src/search/sqlite-index.ts'
import { termsOf } from '../../src/search/terms.ts'

const dir: TempDir = await openTempDir()
afterAll(() => dir.remove())

let logs = 0
const openLog = () => {
  const means = { clock: systemClock, ids: systemIds(() => Date.now()) }
  return openDatabase({ kind: 'sqlite', dir: join(dir.path, `log${(logs += 1)}`) }, means)
}
let files = 0
const openIndex = (): SqliteIndex => new SqliteIndex(join(dir.path, `search${(files += 1)}.db`))

let sent = 0
const event = (type: string, data: object, body: object | undefined, subject?: string): NewEvent => ({
  v: 1,
  at: new Date(Date.UTC(2026, 0, 1) + (sent += 1) * 1_000).toISOString(),
  type,
  ...(subject === undefined ? {} : { subject }),
  actor: { kind: 'person', id: 'dana' },
  data,
  body,
})
const created = (title = 'A session'): NewEvent =>
  event('session.created', { project: 'default', agent: 'demo' }, { title })
const said = (text: string, id = 'm'): NewEvent =>
  event('message.posted', { message: id, role: 'person', chars: text.length, queued: false }, { text }, `message:${id}`)

interface Scene {
  store: LogStore
  bus: Bus
  append(stream: string, ...events: NewEvent[]): Promise<void>
}

function sceneOf(store: LogStore): Scene {
  const bus = openMemoryBus()
  return {
    store,
    bus,
    append: async (stream, ...events) => {
      const result = await store.append([{ stream, expect: 'any', events }])
      if (!result.ok) throw new Error(result.reason)
      bus.publish(result.appended)
    },
  }
}

function follow({ store, bus }: Scene, index: SearchIndex, faults: unknown[] = []): SearchFollower {
  return new SearchFollower({ store, bus, index, clock: systemClock, fault: (error) => faults.push(error) })
}

async function find(index: SearchIndex, q: string): Promise<string[]> {
  const { found } = await findPage(index, { terms: termsOf(q), projects: ['default'] }, undefined, 50)
  return found.map(({ piece }) => piece.text).toSorted()
}

/** Until it has read all that was committed before. */
async function settled(follower: SearchFollower): Promise<void> {
  const now = new Date().toISOString()
  await waitFor(() => (follower.indexedTo ?? '') > now, { what: 'the index to be where the log is' })
}

describe('following the log', () => {
  it('[SE7] goes on where it was after a restart, and takes each event once', async () => {
    await using log = await openLog()
    const scene = sceneOf(log.store)
    await using index = openIndex()
    const taken: string[] = []
    const counted: SearchIndex = Object.create(index, {
      index: {
        value: (stretch: Stretch) => {
          taken.push(
            ...stretch.changes.flatMap((change) => ('seq' in change ? [`${stretch.stream} ${change.seq}`] : [])),
          )
          return index.index(stretch)
        },
      },
    }) as SearchIndex
    // A bound method of the class itself, where a private member is read.
    for (const name of ['position', 'eraseSome', 'find', 'forget', 'streams', 'mend'] as const) {
      Object.defineProperty(counted, name, { value: index[name].bind(index) })
    }
    await scene.append('session:a', created(), said('before the start'))
    {
      await using follower = follow(scene, counted)
      await scene.append('session:a', said('while it follows'))
      await scene.append('session:b', created(), said('another one'))
      await settled(follower)
      expect(await find(index, 'follows')).toEqual(['while it follows'])
    }
    await scene.append('session:a', said('while it was away'))
    await scene.append('session:c', created(), said('a stream of its own'))
    await using again = follow(scene, counted)
    await settled(again)
    expect(await find(index, 'w* OR')).toEqual([])
    expect(await find(index, 'while')).toEqual(['while it follows', 'while it was away'])
    expect(await find(index, 'own')).toEqual(['a stream of its own'])
    expect(taken.toSorted()).toEqual([...new Set(taken)].toSorted())
    expect(taken).toHaveLength(8)
  })

  it('[SE7] comes through whatever the index refuses meanwhile, without a gap, and says so', async () => {
    await using log = await openLog()
    const scene = sceneOf(log.store)
    await using index = openIndex()
    let failures = 2
    const frail = new Proxy(index, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        if (name !== 'index' || failures === 0) return value.bind(target) as unknown
        return () => {
          failures -= 1
          return Promise.reject(new Error('no room'))
        }
      },
    })
    const faults: unknown[] = []
    const eager = { ...systemClock, after: (_: number, fire: () => void) => systemClock.after(1, fire) }
    await scene.append('session:a', created(), ...Array.from({ length: 350 }, (_, at) => said(`word${at} common`)))
    await using follower = new SearchFollower({
      ...scene,
      index: frail,
      clock: eager,
      fault: (error) => faults.push(error),
    })
    await settled(follower)
    expect(faults).toHaveLength(2)
    for (const at of [0, 99, 100, 349]) expect(await find(index, `word${at}`)).toEqual([`word${at} common`])
    expect(await index.position('session:a')).toMatchObject({ seq: 351 })
  })

  it('[SE7] begins a stream anew in another life of the log, and forgets what the log does not have', async () => {
    await using log = await openLog()
    const scene = sceneOf(log.store)
    await using index = openIndex()
    await scene.append('session:a', created(), said('kept'))
    {
      await using follower = follow(scene, index)
      await settled(follower)
    }
    const about = { project: 'default', task: undefined, agent: undefined }
    const piece = {
      seq: 1,
      part: 0,
      atMs: 0,
      subject: undefined,
      kind: 'note',
      isOutput: false,
      actor: { kind: 'system', id: 's' },
    } as const
    const gone = { stream: 'session:gone', epoch: 'aaaaaaaa', after: 0, upTo: 1, about }
    await index.index({ ...gone, changes: [{ ...piece, text: 'gone' }] })
    const ahead = await index.position('session:a')
    await index.index({
      ...gone,
      stream: 'session:a',
      epoch: ahead?.epoch ?? '',
      after: 2,
      upTo: 9,
      changes: [{ ...piece, seq: 9, text: 'gone too' }],
    })
    await using follower = follow({ ...scene, store: inLife(scene.store, 'another') }, index)
    await settled(follower)
    expect(await find(index, 'gone')).toEqual([])
    expect(await find(index, 'kept')).toEqual(['kept'])
    expect(await index.streams('', 9)).toEqual(['session:a'])
  })

  it('[SE8] finds nothing that was erased before or after it was read', async () => {
    await using log = await openLog()
    const scene = sceneOf(log.store)
    await using index = openIndex()
    await scene.append('session:a', created(), said('secret early', 'one'), said('secret late', 'two'))
    await scene.store.erase('session:a', { subject: 'message:one', upTo: 3 })
    await using follower = follow(scene, index)
    await settled(follower)
    expect(await find(index, 'secret')).toEqual(['secret late'])
    await scene.store.erase('session:a', { upTo: 3 })
    await scene.append('session:a', event('content.erased', { upTo: 3, reason: 'requested' }, undefined))
    await settled(follower)
    expect(await find(index, 'secret')).toEqual([])
    expect(await find(index, 'session')).toEqual([])
    await using anew = openIndex()
    await using second = follow(scene, anew)
    await settled(second)
    expect(await find(anew, 'secret')).toEqual([])
  })

  it('[RT4] tells what a step printed from how it began, also where its beginning says nothing', async () => {
    await using log = await openLog()
    const scene = sceneOf(log.store)
    await using index = openIndex()
    const began = (step: string, title: string): NewEvent =>
      event('step.started', { step, kind: 'execute' }, { title }, `step:${step}`)
    const ended = (step: string, output: string): NewEvent =>
      event('step.finished', { step, outcome: 'done' }, { output }, `step:${step}`)
    await scene.append(
      'session:a',
      created(),
      said('asked quince'),
      began('one', 'began quince'),
      ended('one', 'printed quince'),
      began('two', ' '),
      ended('two', 'printed quince of a step without a name'),
      ended('three', 'printed quince of a step that nobody saw begin'),
    )
    await using follower = follow(scene, index)
    await settled(follower)
    expect(await find(index, 'printed')).toHaveLength(3)
    const erased = { upTo: 7, reason: 'retention', kind: 'output', days: 30 }
    await scene.append('session:a', event('content.erased', erased, undefined))
    await settled(follower)
    expect(await find(index, 'quince')).toEqual(['asked quince', 'began quince'])
  })

  it('[SE7] gives way while much is erased, and goes on after a start where it was cut off in it', async () => {
    await using log = await openLog()
    const scene = sceneOf(log.store)
    const path = join(dir.path, 'cut.db')
    const lines = Array.from({ length: 600 }, (_, at) =>
      event('output.appended', { source: 'stdout', encoding: 'utf8', bytes: 9 }, { text: `printed ${at}` }),
    )
    await scene.append('session:a', created(), said('asked quince'), ...lines)
    const count = (): number => {
      using file = new DatabaseSync(path, { readOnly: true })
      return Number(file.prepare('SELECT count(*) AS pieces FROM pieces').get()?.['pieces'])
    }
    const erased = event('content.erased', { upTo: 602, reason: 'retention', kind: 'output', days: 30 }, undefined)
    {
      await using index = new SqliteIndex(path)
      await using follower = follow(scene, index)
      await settled(follower)
      expect(count()).toBe(602)
      await scene.append('session:a', erased)
      await waitFor(() => count() < 602, { what: 'some of it to be gone', everyMs: 1 })
    }
    expect(count()).toBeGreaterThan(2)
    await using index = new SqliteIndex(path)
    await using again = follow(scene, index)
    await settled(again)
    expect(count()).toBe(2)
    expect(await find(index, 'printed')).toEqual([])
    expect(await find(index, 'quince')).toEqual(['asked quince'])
  })

  it('[SE1] reads what was said of each kind, and nothing that was typed, answered or is no word', async () => {
    await using log = await openLog()
    const scene = sceneOf(log.store)
    await using index = openIndex()
    const red = '\u001b[31m'
    await scene.append(
      'session:a',
      created('Titled quince'),
      said('posted quince first', 'edited'),
      event('message.edited', { message: 'edited', chars: 1 }, { text: 'edited quince' }, 'message:edited'),
      event('message.delta', { message: 'd' }, { text: 'in pieces qui' }, 'message:d'),
      event('message.delta', { message: 'd' }, { text: 'nce and no end' }, 'message:d'),
      event('message.broken_off', { message: 'd' }, undefined, 'message:d'),
      event('message.delta', { message: 'w' }, { text: 'whole qui' }, 'message:w'),
      event('message.completed', { message: 'w', chars: 1 }, { text: 'whole quince' }, 'message:w'),
      event('thought.completed', { thought: 't' }, { text: 'thought quince' }, 'thought:t'),
      event(
        'step.started',
        { step: 's', kind: 'execute' },
        { title: 'Run it', input: { command: ['npm', 'quince'] } },
        'step:s',
      ),
      event('step.finished', { step: 's', outcome: 'done' }, { output: `out ${red}quince` }, 'step:s'),
      event('output.appended', { source: 'pty', encoding: 'utf8', bytes: 1 }, { text: `${red}qui${red}nce printed\0` }),
      event(
        'output.appended',
        { source: 'stdout', encoding: 'base64', bytes: 1 },
        { text: Buffer.from('quince in base').toString('base64') },
      ),
      event('input.sent', { input: 'i', encoding: 'utf8', bytes: 1 }, { text: 'typed quince' }),
      event('question.asked', { question: 'q' }, { text: 'which quince?' }, 'question:q'),
      event(
        'question.answered',
        { question: 'q', action: 'accept' },
        { content: { it: 'answered quince' } },
        'question:q',
      ),
      event(
        'approval.requested',
        { approval: 'p' },
        { tool: 'bash', title: 'rm quince', input: 'rm -r' },
        'approval:p',
      ),
      event('approval.resolved', { approval: 'p' }, { reason: 'no quince today', input: 'x' }, 'approval:p'),
      event('notice.posted', { code: 'x' }, { text: 'noticed quince' }),
      event('later.version', { quince: 'quince' }, { text: 'quince of a later version' }),
    )
    await scene.append(
      'task:t',
      event(
        'task.created',
        { task: 't', project: 'default', column: 'todo' },
        { title: 'Card quince', labels: ['red'] },
      ),
    )
    await scene.append('project:default', event('project.created', { project: 'default' }, { name: 'project quince' }))
    await using follower = follow(scene, index)
    await settled(follower)
    expect(await find(index, 'quince')).toEqual(
      [
        'Card quince\nred',
        'Titled quince',
        'Run it\nnpm\nquince',
        'edited quince',
        'in pieces quince and no end',
        'no quince today',
        'noticed quince',
        'out quince',
        'quince in base',
        'quince printed ',
        'rm quince\nrm -r',
        'thought quince',
        'which quince?',
        'whole quince',
      ].toSorted(),
    )
  })

  it('[SE1] finds words anywhere in a long message, and the beginning of long output', async () => {
    await using log = await openLog()
    const scene = sceneOf(log.store)
    await using index = openIndex()
    const long = `${'門'.repeat(7_999)}${'filler words '.repeat(3_000)} needle at the end 😀`
    await scene.append(
      'session:a',
      created(),
      said(long),
      event(
        'output.appended',
        { source: 'stdout', encoding: 'utf8', bytes: 1 },
        { text: `start ${'x '.repeat(30_000)} beyond` },
      ),
    )
    await using follower = follow(scene, index)
    await settled(follower)
    expect(await find(index, 'needle 😀')).toHaveLength(1)
    expect(await find(index, 'start')).toHaveLength(1)
    expect(await find(index, 'beyond')).toHaveLength(0)
  })

  it('[SE7] [SE9] holds up no commit, and says that it is not complete: a log is written while the index does not answer', async () => {
    await using log = await openLog()
    const scene = sceneOf(log.store)
    await using index = openIndex()
    const gate = Promise.withResolvers<undefined>()
    const stuck = new Proxy(index, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        if (name !== 'position') return value.bind(target) as unknown
        return async (stream: string) => {
          await gate.promise
          return target.position(stream)
        }
      },
    })
    await scene.append('session:a', created())
    await using follower = follow(scene, stuck)
    for (let at = 0; at < 50; at += 1) await scene.append('session:a', said(`number${at}`))
    expect((await scene.store.head('session:a'))?.head).toBe(51)
    expect(follower.indexedTo).toBeUndefined()
    gate.resolve(undefined)
    await settled(follower)
    expect(await find(index, 'number49')).toEqual(['number49'])
  })

  it('[SE7] makes an index anew that is damaged while it is at work, and finds nothing in it until then', async () => {
    await using log = await openLog()
    const scene = sceneOf(log.store)
    const path = join(dir.path, 'damaged.db')
    await using index = new SqliteIndex(path)
    await scene.append('session:a', created(), said('quince '.repeat(1_000)), said('plum '.repeat(1_000)))
    {
      await using follower = follow(scene, index)
      await settled(follower)
      await index[Symbol.asyncDispose]()
    }
    const bytes = readFileSync(path)
    bytes.fill(0xa5, 4_096)
    writeFileSync(path, bytes)
    await expect(find(index, 'quince')).rejects.toMatchObject({ name: 'StoreUnavailable' })
    await expect(find(index, 'plum')).rejects.toMatchObject({ name: 'StoreUnavailable' })
    const eager = { ...systemClock, after: (_: number, fire: () => void) => systemClock.after(1, fire) }
    await using follower = new SearchFollower({ ...scene, index, clock: eager, fault: () => undefined })
    await settled(follower)
    expect(await find(index, 'quince')).toHaveLength(1)
    expect(await find(index, 'plum')).toHaveLength(1)
  })
})
