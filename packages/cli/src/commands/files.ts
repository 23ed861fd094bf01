import { createHash } from 'node:crypto'
import { createWriteStream, existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Attachment } from '@hotline/protocol/attachment'
import type { TranscriptWindow } from '@hotline/protocol/http'
import { asKnown } from '@hotline/protocol/known-event'
import type { Command } from 'commander'
import type { Server } from '../ask-server.ts'
import { fail } from '../failure.ts'
import { plainText } from '../plain-text.ts'
import type { CommandContext } from './context.ts'

/** Events in one window. */
const windowEvents = 500

/** Standard output in place of a file. */
const toOutput = '-'

/** `files`: what came with the messages of a session; `download`: one of them. */
export function addFileCommands(program: Command, context: CommandContext): void {
  program
    .command('files')
    .description('files that came with the messages of a session, the newest first')
    .argument('<session>', 'id, or the beginning of it')
    .action(async (text: string) => {
      const server = context.server()
      const { session } = await server.findSession(text)
      const files = await filesOf(server, session)
      const line = ({ name, type, bytes, digest }: Attachment): string =>
        `${digest.slice(0, 12)}  ${String(bytes).padStart(10)}  ${type}  ${plainText(name)}\n`
      context.print(files, files.length === 0 ? 'no files\n' : files.map(line).join(''))
    })

  program
    .command('download')
    .description('a file that came with a message of a session')
    .argument('<session>', 'id, or the beginning of it')
    .argument('<file>', 'its name (the newest of that name), or the beginning of its digest')
    .option('-o, --output <path>', 'where to; otherwise its name in this folder; "-" for standard output')
    .action(async (text: string, wanted: string, { output }: { output?: string }) => {
      const server = context.server()
      const { session } = await server.findSession(text)
      const file = chosen(await filesOf(server, session), wanted)
      const path = output ?? basename(file.name)
      if (path !== toOutput && existsSync(path)) {
        throw fail('invalid_request', `"${path}" is there already. Say with --output where the file is to go.`)
      }
      const query = `name=${encodeURIComponent(file.name)}`
      const content = await server.download(`/api/sessions/${session}/attachments/${file.digest}?${query}`)
      await save(content, file, path)
      if (path !== toOutput) context.print({ path, ...file }, `${path}\n`)
    })
}

/** Uploads files of this machine to a session; answers how a message names them. */
export async function uploadFiles(
  server: Server,
  session: string,
  paths: readonly string[],
): Promise<readonly { digest: string; name: string }[]> {
  const sent: { digest: string; name: string }[] = []
  for (const path of paths) {
    const { digest, name } = await server.upload(session, path)
    sent.push({ digest, name })
  }
  return sent
}

async function filesOf(server: Server, session: string): Promise<readonly Attachment[]> {
  const found = new Map<string, Attachment>()
  for (let before: number | null | undefined; before !== null;) {
    const from: string = before === undefined ? '' : `&before=${before}`
    const window: TranscriptWindow = await server.get(
      `/api/sessions/${session}/transcript?limit=${windowEvents}${from}`,
    )
    for (const event of window.events.toReversed()) {
      const known = asKnown(event)
      if (known?.type !== 'message.posted' && known?.type !== 'message.completed') continue
      for (const file of known.body?.attachments ?? []) {
        const key = `${file.digest} ${file.name}`
        if (!found.has(key)) found.set(key, file)
      }
    }
    before = window.before
  }
  return [...found.values()]
}

function chosen(files: readonly Attachment[], wanted: string): Attachment {
  const named = files.find(({ name }) => name === wanted)
  if (named) return named
  const fitting = /^[0-9a-f]{6,64}$/.test(wanted) ? files.filter(({ digest }) => digest.startsWith(wanted)) : []
  const [only, another] = fitting
  if (!only) throw fail('not_found', `No message of this session came with a file "${wanted}". See: hotline files`)
  if (another && another.digest !== only.digest) {
    throw fail('invalid_request', `Several files begin with "${wanted}". Give more of the digest.`)
  }
  return only
}

/** What is not whole, or not what it should be, is not left behind. */
async function save(content: ReadableStream<Uint8Array>, { digest }: Attachment, path: string): Promise<void> {
  const hash = createHash('sha256')
  const hashed = new Transform({
    transform: (chunk: Buffer, _, done) => {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  if (path === toOutput) {
    await pipeline(content, hashed, process.stdout, { end: false })
  } else {
    try {
      await pipeline(content, hashed, createWriteStream(path, { flags: 'wx' }))
    } catch (error) {
      if (!isThere(error)) await rm(path, { force: true })
      throw fail(
        'unreachable',
        `The file did not arrive whole: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
  if (hash.digest('hex') === digest) return
  if (path !== toOutput) await rm(path, { force: true })
  throw fail('internal', 'What came is not what was sent: its digest is another one.')
}

function isThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST'
}
