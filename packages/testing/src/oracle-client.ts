import type { CommandOutcome, Link } from '@hotline/client/link'
import { uuidV7 } from '@hotline/client/uuid'
import type { CommandInput, CommandType } from '@hotline/protocol/command'
import type { Envelope } from '@hotline/protocol/event'

/** What one follower applied, in the order in which it did. */
interface Applied {
  epoch: string
  seq: number
  hash: string
}

/** A follower and sender that writes down everything, so that it can be compared with the store at the end. */
export interface OracleClient {
  follow(stream: string, after?: string): void
  command<T extends CommandType>(stream: string, type: T, data: CommandInput<T>): Promise<CommandOutcome>
  /** The last position that was applied. */
  at(stream: string): number
  /** Everything that does not hold, as sentences; empty is what a test expects. */
  violations(stream: string, stored: readonly Envelope[]): string[]
}

export function openOracleClient(link: Link, name: string): OracleClient {
  const applied = new Map<string, Applied[]>()
  const commands: { id: string; stream: string; outcome?: CommandOutcome }[] = []
  return {
    follow: (stream, after = '0') => {
      const mine: Applied[] = []
      applied.set(stream, mine)
      link.follow(stream, after, {
        events: (events, epoch) => {
          for (const { seq, hash } of events) mine.push({ epoch, seq, hash })
        },
      })
    },
    command: async (stream, type, data) => {
      const record: (typeof commands)[number] = { id: uuidV7(), stream }
      commands.push(record)
      const outcome = await link.command(stream, type, data, { id: record.id })
      record.outcome = outcome
      return outcome
    },
    at: (stream) => applied.get(stream)?.at(-1)?.seq ?? 0,
    violations: (stream, stored) => {
      const wrong: string[] = []
      const say = (what: string): void => void wrong.push(`${name}, ${stream}: ${what}`)
      for (const [index, event] of stored.entries()) {
        if (event.seq !== index + 1) say(`the store has ${event.seq} at place ${index + 1}`)
      }
      const mine = applied.get(stream) ?? []
      const bySeq = new Map(stored.map((event) => [event.seq, event]))
      let last = mine[0] ? mine[0].seq - 1 : 0
      for (const { seq, hash } of mine) {
        if (seq !== last + 1)
          say(seq <= last ? `${seq} came again after ${last}` : `${last + 1} to ${seq - 1} are missing`)
        last = seq
        if (bySeq.get(seq)?.hash !== hash) say(`${seq} was applied with another hash than is stored`)
      }
      if (mine.length > 0 && last !== stored.at(-1)?.seq) say(`stopped at ${last} of ${stored.at(-1)?.seq}`)
      const epochs = new Set(mine.map(({ epoch }) => epoch))
      if (epochs.size > 1) say(`saw ${epochs.size} epochs`)
      const caused = new Map<string, number>()
      for (const { cause } of stored) if (cause !== undefined) caused.set(cause, (caused.get(cause) ?? 0) + 1)
      for (const command of commands.filter((one) => one.stream === stream)) {
        const count = caused.get(command.id) ?? 0
        if (command.outcome?.ok === true && count === 0) say(`acknowledged command ${command.id} is not in the log`)
        if (command.outcome?.ok === false && command.outcome.problem.code !== 'unreachable' && count > 0) {
          say(`refused command ${command.id} is in the log`)
        }
        if (count > 1) say(`command ${command.id} happened ${count} times`)
      }
      return wrong
    },
  }
}
