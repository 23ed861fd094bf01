import { SearchPage, type SearchHit, searchFilters } from '@hotline/protocol/search'
import { splitStream } from '@hotline/protocol/stream'
import { z } from 'zod'
import type { Principal } from '../../access/principal.ts'
import type { Lists } from '../../log/lists.ts'
import { type Found, findPage, type SearchPosition } from '../../search/find.ts'
import type { Search } from '../../search/open-search.ts'
import { termsOf } from '../../search/terms.ts'
import { nothingHere } from '../../session/outcome.ts'
import type { RegisterRoute } from '../route.ts'
import { Decimal, projectsOf } from './sessions.ts'

/** What these routes read. */
export interface SearchRoutePorts {
  search: Search
  lists: Lists
}

const pageMax = 50

/** The place where an earlier page ended, as its `next` said it: a block, and how far it was given. */
const Position: z.ZodType<SearchPosition, string> = z
  .string()
  .regex(/^[0-9]{1,16}(~[0-9]{1,12}~[0-9]{1,16})?$/, 'must be the "next" of an earlier page')
  .transform((text) => {
    const [upTo = 0, score = 0, id] = text.split('~').map(Number)
    return { upTo, last: id === undefined ? undefined : { score, id } }
  })

/** Everything that was said, as far as the one who asks may read it. */
export function registerSearchRoutes(route: RegisterRoute, { search, lists }: SearchRoutePorts): void {
  route({
    method: 'GET',
    url: '/api/search',
    summary: 'Find what was said in all sessions and cards that I may read',
    permission: 'read',
    refuses: ['not_found'],
    answer: SearchPage,
    query: z.strictObject({
      ...searchFilters,
      cursor: Position.optional(),
      limit: Decimal.pipe(z.int().min(1).max(pageMax)).default(20),
    }),
    handle: async ({ principal, query: { q, project, cursor, limit, author, since, until, ...filters } }) => {
      // Before anything is read: what is found is at least as new.
      const indexedTo = search.follower.indexedTo ?? null
      const mine = await projectsReadBy(principal, lists)
      if (project !== undefined && !mine.includes(project)) return { problem: nothingHere() }
      const query = {
        ...filters,
        terms: termsOf(q),
        projects: project === undefined ? mine : [project],
        authors: author === undefined ? undefined : await authorsCalled(author, lists),
        sinceMs: since,
        untilMs: until,
      }
      const { found, next } = await findPage(search.index, query, cursor, limit)
      return { value: { hits: await hitsOf(found, lists), next: next ? positionText(next) : null, indexedTo } }
    },
  })
}

function projectsReadBy(principal: Principal, lists: Lists): Promise<readonly string[]> {
  return principal.kind === 'runner' ? Promise.resolve([]) : projectsOf(principal, lists)
}

async function authorsCalled(author: string, lists: Lists): Promise<readonly string[]> {
  const named = await lists.accountByName(author.toLowerCase())
  return [author, ...(named ? [named.account] : [])]
}

function positionText({ upTo, last }: SearchPosition): string {
  return last === undefined ? String(upTo) : `${upTo}~${last.score}~${last.id}`
}

async function hitsOf(found: readonly Found[], lists: Lists): Promise<SearchHit[]> {
  const titles = await eachOnce(
    found.map(({ piece }) => piece.stream),
    (stream) => titleOf(stream, lists),
  )
  const names = await eachOnce(
    found.map(({ piece }) => piece.actor.id),
    async (id) => (await lists.account(id))?.name ?? (await lists.key(id))?.name,
  )
  return found.map(({ piece, snippet, ranges }) => {
    const { stream, seq, subject, atMs, kind, actor, project, task, agent } = piece
    const of = splitStream(stream)
    return {
      stream,
      seq,
      subject: subject ?? null,
      at: new Date(atMs).toISOString(),
      kind,
      actor,
      name: (actor.kind === 'agent' ? agent : names.get(actor.id)) ?? null,
      project,
      session: of.kind === 'session' ? of.id : null,
      task: of.kind === 'task' ? of.id : (task ?? null),
      agent: agent ?? null,
      title: titles.get(stream) ?? null,
      snippet,
      ranges,
    }
  })
}

async function titleOf(stream: string, lists: Lists): Promise<string | undefined> {
  const { kind, id } = splitStream(stream)
  const row = kind === 'task' ? await lists.task(id) : await lists.session(id)
  return row?.title
}

async function eachOnce(
  keys: readonly string[],
  read: (key: string) => Promise<string | undefined>,
): Promise<ReadonlyMap<string, string | undefined>> {
  return new Map(await Promise.all([...new Set(keys)].map(async (key) => [key, await read(key)] as const)))
}
