import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findPage } from '@hotline/server/search/find'
import { PostgresIndex } from '@hotline/server/search/postgres-index'
import type { Piece, SearchIndex } from '@hotline/server/search/search-index'
import { SqliteIndex } from '@hotline/server/search/sqlite-index'
import { termsOf } from '@hotline/server/search/terms'
import { Client } from 'pg'
import { quantile } from '../statistics.ts'

/** Fills an index with so many messages and searches in it: what is looked for is rare, common, or a phrase. */

const stretchEvents = 1_000
const projects = Array.from({ length: 10 }, (_, at) => `project-${at}`)
/** Words of a message, of which few are frequent, as in any language. */
const messageWords = 20
const vocabulary = 50_000
/** Rare words, each in so many messages, whatever the size. */
const needles = 20
const needleMessages = 20
const searchesEach = { rare: 200, common: 60, phrase: 60 }
const startMs = Date.UTC(2026, 0, 1)

const flag = { type: 'string', default: '' } as const
const { values } = parseArgs({ options: { events: flag, directory: flag, url: flag }, strict: true })
const events = Number(values.events)

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** The same numbers in every run. */
let seed = 42
function random(): number {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
  return seed / 2_147_483_648
}

function messageText(at: number): string {
  const words = Array.from({ length: messageWords }, () => `w${Math.floor(vocabulary ** random())}`)
  // In one of ten, and next to each other in one of twenty.
  if (at % 10 === 0) words.splice(3, 0, 'gate', at % 20 === 0 ? 'keeper' : 'w7')
  const every = Math.floor(events / (needles * needleMessages))
  if (at % every === 0) words.push(`needle${Math.floor(at / every) % needles}`)
  return words.join(' ')
}

async function fill(index: SearchIndex): Promise<number> {
  const began = performance.now()
  for (let first = 0; first < events; first += stretchEvents) {
    const stream = `session:s${first / stretchEvents}`
    const project = projects[(first / stretchEvents) % projects.length] ?? ''
    const changes = Array.from({ length: Math.min(stretchEvents, events - first) }, (_, at): Piece => ({
      seq: at + 1,
      part: 0,
      atMs: startMs + (first + at) * 50,
      subject: `message:m${at}`,
      kind: 'message',
      isOutput: false,
      actor: { kind: 'agent', id: stream },
      text: messageText(first + at),
    }))
    const about = { project, task: undefined, agent: 'demo' }
    await index.index({ stream, epoch: 'aaaaaaaa', after: 0, upTo: changes.length, about, changes })
    if (first % 20_000 === 0) say({ phase: 'filling', first })
  }
  return events / ((performance.now() - began) / 1_000)
}

async function timed(index: SearchIndex, texts: readonly string[]): Promise<{ sorted: Float64Array; found: number }> {
  const times: number[] = []
  let found = 0
  for (const text of texts) {
    const before = performance.now()
    const page = await findPage(index, { terms: termsOf(text), projects }, undefined, 20)
    times.push(performance.now() - before)
    found += page.found.length
  }
  return { sorted: Float64Array.from(times).toSorted(), found }
}

const url = values.url
await using index = url === '' ? new SqliteIndex(join(values.directory, 'search.db')) : await PostgresIndex.open(url)
const filledPerSecond = await fill(index)
if (url !== '') {
  // What the server does by itself after a while.
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query('VACUUM ANALYZE search_pieces')
  await client.end()
}
const rareTexts = Array.from({ length: searchesEach.rare }, (_, at) => `needle${at % needles}`)
await timed(index, [...rareTexts.slice(0, 20), 'gate', '"gate keeper"'])
say({ phase: 'window' })
const rare = await timed(index, rareTexts)
const common = await timed(
  index,
  Array.from({ length: searchesEach.common }, () => 'gate'),
)
const phrase = await timed(
  index,
  Array.from({ length: searchesEach.phrase }, () => '"gate keeper"'),
)
say({ phase: 'stop' })
say({
  phase: 'result',
  filledPerSecond,
  rareP50Us: quantile(rare.sorted, 0.5) * 1_000,
  rareP99Us: quantile(rare.sorted, 0.99) * 1_000,
  commonP50Us: quantile(common.sorted, 0.5) * 1_000,
  phraseP50Us: quantile(phrase.sorted, 0.5) * 1_000,
  missing:
    (searchesEach.rare + searchesEach.common + searchesEach.phrase) * 20 - rare.found - common.found - phrase.found,
})
