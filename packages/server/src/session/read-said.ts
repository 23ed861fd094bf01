import type { Context } from '@hotline/core/decision'
import { evolveSaid, type Said } from '@hotline/core/session/said'
import type { Command } from '@hotline/protocol/command'
import { limits } from '@hotline/protocol/limits'
import type { LogStore } from '../log/log-store.ts'
import { readEvent } from '../log/read-event.ts'

/** The messages that these commands are about, as far as the session has them; nothing where no command is about any. */
export async function readSaid(
  store: Pick<LogStore, 'readSubjects'>,
  stream: string,
  batch: readonly { command: Command }[],
): Promise<Pick<Context, 'said'>> {
  const wanted = new Set(batch.flatMap(({ command }) => aboutOf(command) ?? []))
  if (wanted.size === 0) return {}
  const said = new Map<string, Said>()
  for (const message of wanted) {
    const found = await readOne(store, stream, message)
    if (found) said.set(message, found)
  }
  return { said }
}

/** What came in pieces may be many events: they are read page by page. */
async function readOne(
  store: Pick<LogStore, 'readSubjects'>,
  stream: string,
  message: string,
): Promise<Said | undefined> {
  let said: Said | undefined
  for (let after = 0; ;) {
    const page = await store.readSubjects(stream, [`message:${message}`], after, limits.pageEvents)
    for (const event of page) said = evolveSaid(said, readEvent(event))
    const last = page.at(-1)
    if (!last || page.length < limits.pageEvents) return said
    after = last.seq
  }
}

function aboutOf(command: Command): string | undefined {
  if (command.type === 'message.react') return command.data.message
  return command.type === 'message.send' ? command.data.replyTo : undefined
}
