import { styleText } from 'node:util'
import { type SearchHit, type SearchPage, searchKinds } from '@hotline/protocol/search'
import { type Command, Option } from 'commander'
import { inLine } from '../approval-card.ts'
import { fail } from '../failure.ts'
import type { CommandContext } from './context.ts'

/** What is looked for is narrowed by these; the server knows them by the same names. */
interface Filters {
  project?: string
  session?: string
  task?: string
  kind?: string
  author?: string
  agent?: string
  since?: string
  until?: string
}

const pageMax = 50

/** `search`: everything that was said, in all sessions and cards that one may read. */
export function addSearchCommand(program: Command, context: CommandContext): void {
  program
    .command('search')
    .description('find what was said in all sessions and cards: words, "phrases" and beginnings*')
    .argument('<words...>')
    .option(
      '--not <word>',
      'leave out what has this word or phrase; may be given again',
      (one, all: string[]) => [...all, one],
      [],
    )
    .option('--session <session>', 'its id, or the beginning of it')
    .option('--task <task>', 'the id of a card: what was said in its sessions too')
    .option('--project <project>', 'its id')
    .addOption(new Option('--kind <kind>', 'what it is').choices(searchKinds))
    .option('--author <who>', 'an id, the name of an account, or person, agent, runner')
    .option('--agent <agent>', 'of the session, for example demo')
    .option('--since <time>', '2026-01-31 or 2026-01-31T12:00:00Z, UTC')
    .option('--until <time>', 'before this time')
    .option('--limit <n>', 'places', '20')
    .action(async (words: string[], { limit, not, ...filters }: Filters & { limit: string; not: string[] }) => {
      const q = [...words, ...not.map((one) => `-"${one.replaceAll('"', ' ')}"`)].join(' ')
      const query = new URLSearchParams({ q })
      for (const [name, value] of Object.entries(filters) as [string, string | undefined][])
        if (value !== undefined) query.set(name, value)
      if (filters.session !== undefined)
        query.set('session', (await context.server().findSession(filters.session)).session)
      const { hits, indexedTo } = await best(context, query, wholeNumber(limit))
      if (indexedTo === null) context.note('The index is still being made: there may be more.')
      context.print(hits, hits.length === 0 ? 'Nothing was found.\n' : hits.map(hitText).join(''))
    })
}

async function best(
  context: CommandContext,
  query: URLSearchParams,
  wanted: number,
): Promise<Pick<SearchPage, 'hits' | 'indexedTo'>> {
  const hits: SearchHit[] = []
  let indexedTo: string | null = null
  for (let next: string | null = ''; next !== null && hits.length < wanted;) {
    const page: URLSearchParams = new URLSearchParams(query)
    page.set('limit', String(Math.min(pageMax, wanted - hits.length)))
    if (next !== '') page.set('cursor', next)
    const answer: SearchPage = await context.server().get(`/api/search?${page}`)
    hits.push(...answer.hits)
    indexedTo = answer.indexedTo
    next = answer.next
  }
  return { hits, indexedTo }
}

/** Where and who, and below it what. */
function hitText(hit: SearchHit): string {
  const { at, kind, name, actor, session, task, title, seq } = hit
  const place = session === null ? `task ${task}` : `session ${session.slice(0, 8)}`
  const who = inLine(name ?? actor.kind)
  return `${at}  ${inLine(title ?? '')} (${place}, event ${seq}) ${who}, ${kind}\n    ${shown(hit)}\n`
}

/** On a terminal what was found stands out. */
function shown({ snippet, ranges }: SearchHit): string {
  const parts: string[] = []
  let end = 0
  for (const [from, to] of ranges) {
    parts.push(
      inLine(snippet.slice(end, from)),
      styleText('bold', inLine(snippet.slice(from, to)), { stream: process.stdout }),
    )
    end = to
  }
  return [...parts, inLine(snippet.slice(end))].join('')
}

function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]{0,3}$/.test(text)) throw fail('invalid_request', `--limit takes a whole number, not "${text}".`)
  return Number(text)
}
