import { findPage, type FoundPage, type SearchPosition } from '@hotline/server/search/find'
import type { Erasure, Piece, SearchIndex, Stretch } from '@hotline/server/search/search-index'
import { termsOf } from '@hotline/server/search/terms'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

/** What opens an index that is empty, and opens the same one again. */
export interface SearchIndexBench {
  open(name: string): Promise<SearchIndex>
}

const startMs = Date.parse('2026-03-01T12:00:00.000Z')

/** A message of a person, a second after the one before it. */
export function saidPiece(seq: number, text: string, more: Partial<Piece> = {}): Piece {
  return {
    seq,
    part: 0,
    atMs: startMs + seq * 1_000,
    subject: `message:m${seq}`,
    kind: 'message',
    isOutput: false,
    actor: { kind: 'person', id: 'dana' },
    text,
    ...more,
  }
}

/** The stretch from the beginning of a stream of project `default`. */
export function firstStretch(
  stream: string,
  changes: readonly (Piece | Erasure)[],
  more: Partial<Stretch> = {},
): Stretch {
  const upTo = changes.reduce((most, change) => ('seq' in change ? Math.max(most, change.seq) : most), 1)
  const about = { project: 'default', task: undefined, agent: 'demo' }
  return { stream, epoch: 'aaaaaaaa', after: 0, upTo, about, changes, ...more }
}

const texts = ({ found }: FoundPage): string[] => found.map(({ piece }) => piece.text)

/** How every index behaves, by whatever database. */
export function searchIndexContract(name: string, bench: SearchIndexBench): void {
  describe(`a search index by ${name}`, () => {
    let index: SearchIndex
    let made = 0
    const fresh = (): Promise<SearchIndex> => bench.open(`index${(made += 1)}`)
    const search = (q: string, more: object = {}, at?: SearchPosition, limit = 50): Promise<FoundPage> =>
      findPage(index, { terms: termsOf(q), projects: ['default'], ...more }, at, limit)
    const find = async (q: string, more: object = {}): Promise<string[]> => texts(await search(q, more))

    beforeAll(async () => {
      index = await fresh()
      const said = [
        'The gate of the meadow is broken.',
        'Mend the gate, and then paint the broken fence',
        'const answer = readFileSync("src/gate_keeper.ts")',
        'Ein schönes Café an der Straße',
        '请修理大门，然后给栅栏上漆。',
        '門を直してください。ありがとう',
        'Deployed 🚀 to production 👩‍💻',
        'ｆｕｌｌ　ｗｉｄｔｈ',
        `it's 100% done; SELECT * FROM words WHERE said MATCH '"'`,
        'เปิดประตู',
      ]
      await index.index(
        firstStretch(
          'session:one',
          said.map((text, at) => saidPiece(at + 1, text)),
        ),
      )
      const more = [
        saidPiece(1, 'gate of elsewhere', { kind: 'step', actor: { kind: 'agent', id: 'agent-7' } }),
        saidPiece(2, 'a gate in the output', { kind: 'output', actor: { kind: 'runner', id: 'r1' } }),
      ]
      const about = { project: 'elsewhere', task: 'card-1', agent: 'claude' }
      await index.index(firstStretch('session:two', more, { about }))
    })
    afterAll(() => index[Symbol.asyncDispose]())

    it('[SE2] [SE10] finds all words, phrases, beginnings, and leaves out what has a minus', async () => {
      expect(await find('gate broken')).toEqual([
        'The gate of the meadow is broken.',
        'Mend the gate, and then paint the broken fence',
      ])
      expect(await find('"broken fence"')).toEqual(['Mend the gate, and then paint the broken fence'])
      expect(await find('"fence broken"')).toEqual([])
      expect(await find('mead*')).toEqual(['The gate of the meadow is broken.'])
      expect(await find('mead')).toEqual([])
      expect(await find('GATE -"paint the"')).toEqual([
        expect.stringContaining('const'),
        'The gate of the meadow is broken.',
      ])
      expect(await find('gate -mend -read*')).toEqual(['The gate of the meadow is broken.'])
      expect(await find('gate_keeper.ts')).toEqual([expect.stringContaining('readFileSync')])
      expect(await find('readfile*')).toEqual([expect.stringContaining('readFileSync')])
    })

    it('[SE2] takes case, accents and widths as the same', async () => {
      for (const q of ['cafe', 'CAFÉ', 'schones', 'full width']) expect([q, (await find(q)).length]).toEqual([q, 1])
    })

    it('[SE3] finds any part of what is written without spaces, and pictures', async () => {
      for (const q of ['大门', '门', '修理大门', '栅栏上漆', '上漆。', '"大门" 栅栏']) {
        expect([q, await find(q)]).toEqual([q, ['请修理大门，然后给栅栏上漆。']])
      }
      for (const q of ['門', '直して', 'ありがとう']) expect([q, (await find(q)).length]).toEqual([q, 1])
      for (const q of ['ประตู', '🚀', '👩‍💻', 'deployed 🚀']) expect([q, (await find(q)).length]).toEqual([q, 1])
      expect(await find('门大')).toEqual([])
      expect(await find('🐛')).toEqual([])
    })

    it('[SE2] takes any text as a search, and one without a word finds nothing', async () => {
      const odd = [
        '"',
        '""',
        '-',
        '*',
        '-*',
        '(',
        ')',
        'AND',
        'a OR',
        'NEAR(',
        'said:gate',
        '^gate',
        '{said}:x',
        '\0',
        '\ud800',
        `'`,
        '\\',
        '%',
        '_',
        ' ',
        '-gate',
        '" * "',
        '"gate" * *',
        '!&|<->',
        ':*',
        'a'.repeat(200),
        '"a" '.repeat(50),
        '门'.repeat(200),
        '-"',
        '🇩🇪',
        '\u202e',
        '(('.repeat(100),
      ]
      for (const q of odd) expect([q, Array.isArray(await find(q))]).toEqual([q, true])
      expect(await find('-gate')).toEqual([])
      expect(await find(`100% done; SELECT`)).toHaveLength(1)
    })

    it('[SE4] [SE5] finds nothing outside of the projects, and only what the filters leave', async () => {
      expect(await find('gate', { projects: ['elsewhere'] })).toEqual(['gate of elsewhere', 'a gate in the output'])
      expect(await find('gate', { projects: ['Elsewhere'] })).toEqual([])
      expect(await find('gate', { projects: [] })).toEqual([])
      expect(await find('gate', { projects: ['default', 'elsewhere'] })).toHaveLength(5)
      const all = { projects: ['default', 'elsewhere'] }
      expect(await find('gate', { ...all, session: 'two' })).toHaveLength(2)
      expect(await find('gate', { ...all, session: 'on' })).toHaveLength(0)
      expect(await find('gate', { ...all, task: 'card-1' })).toHaveLength(2)
      expect(await find('gate', { ...all, kind: 'output' })).toEqual(['a gate in the output'])
      expect(await find('gate', { ...all, authors: ['agent-7'] })).toEqual(['gate of elsewhere'])
      expect(await find('gate', { ...all, authors: ['person'] })).toHaveLength(3)
      expect(await find('gate', { ...all, agent: 'claude' })).toHaveLength(2)
      expect(await find('gate', { ...all, sinceMs: startMs + 3_000 })).toHaveLength(1)
      expect(await find('gate', { ...all, untilMs: startMs + 2_000 })).toHaveLength(2)
    })

    it('[SE4] [SE5] keeps to projects and filters where a word is common, too', async () => {
      await using many = await fresh()
      const words = Array.from({ length: 400 }, (_, at) => saidPiece(at + 1, `hut ${at}`))
      await many.index(
        firstStretch('session:mine', [saidPiece(1, 'hut of mine'), saidPiece(2, 'hut', { kind: 'note' })]),
      )
      const about = { project: 'elsewhere', task: 'card', agent: 'claude' }
      await many.index(firstStretch('session:theirs', words, { about }))
      const of = async (more: object): Promise<number> =>
        (await many.find({ terms: termsOf('hut -nothing'), projects: ['default'], limit: 1_000, ...more })).length
      expect(await of({})).toBe(2)
      expect(await of({ kind: 'note' })).toBe(1)
      expect(await of({ session: 'theirs' })).toBe(0)
      const both = { projects: ['default', 'elsewhere'] }
      expect(await of(both)).toBe(402)
      expect(await of({ ...both, session: 'theirs' })).toBe(400)
      expect(await of({ ...both, task: 'card' })).toBe(400)
      expect(await of({ ...both, agent: 'demo' })).toBe(2)
    })

    it('[SE6] [SE10] gives the best first, of those alike the newest, page by page without a gap or a second time', async () => {
      await using many = await fresh()
      const words = Array.from({ length: 700 }, (_, at) =>
        saidPiece(at + 1, at % 3 === 0 ? `hut ${at} hut hut` : `hut ${at} and a lot of other words`),
      )
      await many.index(firstStretch('session:many', words))
      const all: number[] = []
      for (let next: SearchPosition | undefined, isFirst = true; isFirst || next; isFirst = false) {
        const page: FoundPage = await findPage(many, { terms: termsOf('hut'), projects: ['default'] }, next, 40)
        all.push(...page.found.map(({ piece }) => piece.seq))
        next = page.next
        // What is said meanwhile changes nothing in the pages that are being read.
        if (isFirst)
          await many.index({ ...firstStretch('session:many', [saidPiece(701, 'hut hut hut hut')]), after: 700 })
      }
      expect(all.toSorted((one, other) => one - other)).toEqual(words.map(({ seq }) => seq))
      const block = all.slice(0, 256)
      const best = block.filter((seq) => (seq - 1) % 3 === 0)
      expect(block.slice(0, best.length)).toEqual(best.toSorted((one, other) => other - one))
      expect(Math.min(...block)).toBe(700 - 255)
    })

    it('[SE6] says where in a snippet of plain text it was found', async () => {
      const {
        found: [one],
      } = await search('broken fence')
      expect(one?.snippet).toBe('Mend the gate, and then paint the broken fence')
      expect(one?.ranges.map(([from, to]) => one.snippet.slice(from, to))).toEqual(['broken', 'fence'])
    })

    it('[SE7] takes a stretch once, at its place, whole, and knows the place when it is opened again', async () => {
      const own = await fresh()
      const file = `index${made}`
      const stretch = firstStretch('session:s', [saidPiece(1, 'early'), saidPiece(2, 'late')])
      expect(await own.position('session:s')).toBeUndefined()
      await own.index({ ...stretch, after: 1 })
      expect(await own.position('session:s')).toBeUndefined()
      await own.index(stretch)
      await own.index(stretch)
      // The same place of one event twice is refused as a whole.
      const broken = [saidPiece(3, 'half'), saidPiece(3, 'half')]
      await expect(own.index({ ...stretch, after: 2, upTo: 3, changes: broken })).rejects.toThrow(/.+/)
      await own[Symbol.asyncDispose]()
      await using again = await bench.open(file)
      expect(await again.position('session:s')).toEqual({ epoch: 'aaaaaaaa', seq: 2, about: stretch.about })
      const page = await findPage(again, { terms: termsOf('early'), projects: ['default'] }, undefined, 10)
      expect(texts(page)).toEqual(['early'])
      expect((await findPage(again, { terms: termsOf('half'), projects: ['default'] }, undefined, 10)).found).toEqual(
        [],
      )
      expect(await again.streams('', 10)).toEqual(['session:s'])
    })

    it('[SE8] does not find what was erased: of a subject, up to a position, of a stream', async () => {
      await using own = await fresh()
      const of = (q: string): Promise<string[]> =>
        findPage(own, { terms: termsOf(q), projects: ['default'] }, undefined, 10).then(texts)
      await own.index(
        firstStretch('session:s', [
          saidPiece(1, 'secret one', { subject: 'message:m' }),
          saidPiece(2, 'secret two'),
          saidPiece(3, 'secret three', { subject: 'message:m' }),
        ]),
      )
      await own.index(firstStretch('session:t', [saidPiece(1, 'secret of another')]))
      const erase = { subject: 'message:m', upTo: 2 }
      await own.index({ ...firstStretch('session:s', [{ erase }]), after: 3, upTo: 4 })
      expect(await of('secret')).toEqual(['secret three', 'secret two', 'secret of another'])
      await own.index({ ...firstStretch('session:s', [{ erase: { subject: undefined, upTo: 2 } }]), after: 4, upTo: 5 })
      expect(await of('secret')).toEqual(['secret three', 'secret of another'])
      await own.forget('session:s')
      expect(await of('secret')).toEqual(['secret of another'])
      expect(await own.position('session:s')).toBeUndefined()
      await own.index(firstStretch('session:s', [saidPiece(1, 'secret anew')], { epoch: 'bbbbbbbb' }))
      expect(await of('secret')).toEqual(['secret anew', 'secret of another'])
    })

    it('[RT4] does not find output that was erased, but how a step began and what was said', async () => {
      await using own = await fresh()
      const of = (q: string): Promise<string[]> =>
        findPage(own, { terms: termsOf(q), projects: ['default'] }, undefined, 10).then(texts)
      const step = { subject: 'step:x', kind: 'step' } as const
      const result = { ...step, isOutput: true } as const
      const printed = { subject: undefined, kind: 'output', isOutput: true } as const
      await own.index(
        firstStretch('session:s', [
          saidPiece(1, 'gate asked'),
          saidPiece(2, 'gate begun', step),
          saidPiece(3, 'gate result', result),
          saidPiece(4, 'gate result, more of it', { ...result, seq: 3, part: 1 }),
          saidPiece(4, 'gate result of what began without a word', { ...result, subject: 'step:y' }),
          saidPiece(5, 'gate printed', printed),
          saidPiece(6, 'gate printed later', printed),
        ]),
      )
      const erase = { subject: undefined, kind: 'output', upTo: 5 } as const
      await own.index({ ...firstStretch('session:s', [{ erase }]), after: 6, upTo: 7 })
      expect((await of('gate')).toSorted()).toEqual(['gate asked', 'gate begun', 'gate printed later'])
    })

    it('[RT4] erases however much output there is, in bounded pieces, and what came in the same stretch', async () => {
      await using own = await fresh()
      const count = async (q: string): Promise<number> =>
        (await own.find({ terms: termsOf(q), projects: ['default'], limit: 5_000 })).length
      const printed = { subject: undefined, kind: 'output', isOutput: true } as const
      const many = Array.from({ length: 2_500 }, (_, at) => saidPiece(at + 2, `gate printed p${at}`, printed))
      await own.index(firstStretch('session:s', [saidPiece(1, 'gate asked'), ...many]))
      await own.index(firstStretch('session:t', [saidPiece(1, 'gate printed elsewhere', printed)]))
      const changes = [
        saidPiece(2_502, 'gate printed before', printed),
        { erase: { subject: undefined, kind: 'output', upTo: 2_502 } as const },
        saidPiece(2_504, 'gate printed after', printed),
      ]
      const stretch = firstStretch('session:s', changes, { after: 2_501, upTo: 2_504 })
      const counts = [await count('printed')]
      while (await own.eraseSome(stretch)) counts.push(await count('printed'))
      const steps = counts.slice(1).map((left, at) => (counts[at] ?? 0) - left)
      expect(steps.every((gone) => gone > 0 && gone <= 1_000)).toBe(true)
      expect([counts.at(-1), await count('gate')]).toEqual([1, 2])
      await own.index(stretch)
      expect([await count('printed'), await count('gate')]).toEqual([2, 3])
    })

    it('[RT4] erases with the stretch what was not taken out before', async () => {
      await using own = await fresh()
      const printed = { subject: undefined, kind: 'output', isOutput: true } as const
      const many = Array.from({ length: 1_200 }, (_, at) => saidPiece(at + 1, `gate printed p${at}`, printed))
      await own.index(firstStretch('session:s', many))
      const changes = [{ erase: { subject: undefined, kind: 'output', upTo: 1_200 } as const }]
      await own.index(firstStretch('session:s', changes, { after: 1_200, upTo: 1_201 }))
      expect(await own.find({ terms: termsOf('gate'), projects: ['default'], limit: 5_000 })).toEqual([])
    })

    it('[SE7] erases nothing by a stretch that it does not take', async () => {
      await using own = await fresh()
      const stretch = firstStretch('session:s', [saidPiece(1, 'gate asked'), saidPiece(2, 'gate again')])
      await own.index(stretch)
      const changes = [{ erase: { subject: undefined, upTo: 2 } }]
      const elsewhere = { ...stretch, after: 5, upTo: 6, changes }
      const ofAnotherLife = { ...stretch, epoch: 'bbbbbbbb', after: 2, upTo: 3, changes }
      for (const other of [elsewhere, ofAnotherLife]) {
        expect(await own.eraseSome(other)).toBe(false)
        await own.index(other)
      }
      expect(await own.find({ terms: termsOf('gate'), projects: ['default'], limit: 9 })).toHaveLength(2)
      expect(await own.position('session:s')).toMatchObject({ epoch: 'aaaaaaaa', seq: 2 })
    })

    it('[SE6] keeps the order of time where more was said in a millisecond than it has places', async () => {
      await using own = await fresh()
      const said = Array.from({ length: 1_500 }, (_, at) => saidPiece(at + 1, `tick t${at}`, { atMs: startMs }))
      await own.index(firstStretch('session:s', said))
      const page = await findPage(own, { terms: termsOf('tick'), projects: ['default'] }, undefined, 3)
      expect(page.found.map(({ piece }) => piece.seq)).toEqual([1_500, 1_499, 1_498])
    })
  })
}
