import { httpRequest } from '@hotline/client/http-request'
import type { CommandOutcome, Link } from '@hotline/client/link'
import { uuidV7 } from '@hotline/client/uuid'
import type { CommandInput, CommandType } from '@hotline/protocol/command'
import type { Accepted } from '@hotline/protocol/command-answer'
import { type Commanded, compareRecording } from '@hotline/testing/oracle-compare'
import type { SeededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import { line } from '../crowd.ts'
import { type Done, expectNothing, type FaultRow, type Ground } from '../fault-row.ts'
import { type ServerProcess, startServerProcess } from '../server-process.ts'

/** A command as it is sent again and again, and another content for the same id where there is any. */
interface Said {
  id: string
  stream: string
  type: CommandType
  data: unknown
  other: unknown
  by: 'person' | 'runner'
  seq?: number
}

/** However often, over whatever, and through whatever crash: an answer comes within this. */
const answerDeadlineMs = 30_000

/** Row 20: every command is sent one to five times at once, over sockets and HTTP, over crashes and after them. */
export const saidTwice: FaultRow = {
  row: 20,
  name: 'every command sent 1 to 5 times at once over WebSocket and HTTP, over restarts, and again later',
  stores: ['sqlite', 'postgres'],
  run: async (ground: Ground): Promise<Done> => {
    const { random, amount } = ground
    await using server = await startServerProcess(await ground.openStore())
    const links = {
      person: [server.link(), server.link(), server.link(), server.link()],
      runner: [server.link('runner'), server.link('runner')],
    }
    const counts = { commands: 0, copies: 0, restarts: 0 }
    const found: string[] = []
    const all: Said[] = []

    async function say(said: Said): Promise<void> {
      const copies = random.int(1, 5)
      const routes = random.shuffle(links[said.by]).slice(0, copies)
      const sent = [
        ...routes.map((link) => overSocket(link, said, said.data)),
        ...Array.from({ length: copies - routes.length + random.int(0, 1) }, () => overHttp(server, said, said.data)),
      ]
      if (random.chance(0.12)) {
        counts.restarts += 1
        await server.kill()
        await server.start()
      }
      const outcomes = await Promise.all(sent)
      counts.commands += 1
      counts.copies += sent.length
      const first = outcomes[0]
      if (first?.ok) said.seq = first.accepted.seq
      else found.push(`${said.type} ${said.id} was refused: ${first?.problem.code} ${first?.problem.detail}`)
      found.push(...differences(said, outcomes))
      all.push(said)
    }
    const rounds = amount === 'some' ? 1 : 4
    for (let round = 0; round < rounds; round += 1) {
      for await (const said of everyCommand(server, links.runner[0] ?? server.link('runner'), random)) await say(said)
    }
    counts.restarts += 1
    await server.kill()
    await server.start()
    for (const said of all) {
      found.push(...differences(said, [await overHttp(server, said, said.data)]))
      if (said.other === undefined) continue
      const link = random.pick(links[said.by])
      const changed = [await overHttp(server, said, said.other), await overSocket(link, said, said.other)]
      for (const outcome of changed) {
        const isRefused =
          !outcome.ok && outcome.problem.code === 'idempotency_mismatch' && outcome.problem.status === 409
        if (!isRefused) found.push(`${said.type} ${said.id} with another content: ${JSON.stringify(outcome)}`)
      }
    }
    for (const stream of new Set(all.map((said) => said.stream))) {
      if (!stream.startsWith('session:')) continue
      const stored = await server.stored(stream.slice('session:'.length))
      const commands = all.filter((said) => said.stream === stream).map(commandedOf)
      const recording = { name: 'the senders', stream, after: 0, applied: [], commands, end: 'open' } as const
      found.push(...compareRecording(recording, stored).map(({ what }) => what))
    }
    expectNothing(found)
    return { counts }
  },
}

function commandedOf({ id, stream, seq }: Said): Commanded {
  return seq === undefined ? { id, stream } : { id, stream, outcome: { ok: true, accepted: { id, seq, cursor: '' } } }
}

function differences(said: Said, outcomes: readonly CommandOutcome[]): string[] {
  return outcomes.flatMap((outcome) => {
    if (outcome.ok && outcome.accepted.seq === said.seq) return []
    return [`${said.type} ${said.id} has ${said.seq} and another answer: ${JSON.stringify(outcome)}`]
  })
}

async function overSocket(link: Link, { id, stream, type }: Said, data: unknown): Promise<CommandOutcome> {
  return link.command(stream, type, data as CommandInput<CommandType>, { id })
}

/** Tries again where there is no server, as every client must; a refusal is an answer. */
async function overHttp(server: ServerProcess, said: Said, data: unknown): Promise<CommandOutcome> {
  const { id, stream, type } = said
  const credential = { kind: 'token', token: server.tokenOf(said.by) } as const
  const { outcome } = await waitFor(
    async (): Promise<{ outcome: CommandOutcome } | undefined> => {
      const body = { id, stream, type, data }
      const answer = await httpRequest<Accepted>(server.url, credential, 'POST', '/api/commands', body)
      if (answer.ok) return { outcome: { ok: true, accepted: answer.value } }
      return answer.problem.status < 500 && answer.problem.code !== 'unreachable' ? { outcome: answer } : undefined
    },
    { what: `an answer to ${type}`, deadlineMs: answerDeadlineMs },
  )
  return outcome
}

/** One of each kind that a session, a task and a project know, each valid when it is its turn. */
async function* everyCommand(server: ServerProcess, machine: Link, random: SeededRandom): AsyncGenerator<Said> {
  const make = <T extends CommandType>(
    stream: string,
    type: T,
    data: CommandInput<T>,
    other?: CommandInput<T>,
    by: Said['by'] = 'person',
  ): Said => ({ id: uuidV7(), stream, type, data, other, by })
  const text = (): string => `text ${random.int(0, 1e9)}`
  const runner = await server.startSession(machine)
  const { stream } = runner

  const begun = { project: 'default', agent: 'nobody', prompt: text() }
  yield make(`session:${uuidV7()}`, 'session.start', begun, { ...begun, prompt: text() })
  yield make(stream, 'session.rename', { title: text() }, { title: text() })
  const messages: string[] = []
  for (let at = 0; at < 3; at += 1) {
    const message = make(stream, 'message.send', { text: text() }, { text: text() })
    messages.push(message.id)
    yield message
  }
  const [one = '', two = '', three = ''] = messages
  yield make(stream, 'message.edit', { message: one, text: text() }, { message: one, text: text() })
  yield make(stream, 'message.reorder', { order: [two, three, one] }, { order: [three, two, one] })
  yield make(stream, 'message.withdraw', { message: two }, { message: three })

  const report = (number: number) => ({ fence: 1, events: [line(number)] })
  yield make(stream, 'agent.report', report(0), report(1), 'runner')
  const turn = uuidV7()
  await runner.report({ type: 'turn.started', data: { turn } })
  const { approval, digest } = await runner.ask({ tool: 'run', title: 'Run ls', input: text() })
  const decision = { approval, digest, verdict: 'allow' } as const
  yield make(stream, 'approval.decide', decision, { ...decision, verdict: 'deny' })
  const question = uuidV7()
  await runner.report({ type: 'question.asked', data: { question }, body: { text: 'Which?' } })
  yield make(stream, 'question.answer', { question, action: 'decline' }, { question, action: 'cancel' })
  yield make(stream, 'session.interrupt', { reason: text() }, { reason: text() })
  yield make(stream, 'session.pause', { reason: text() }, { reason: text() })

  const task = `task:${uuidV7()}`
  const titled = (): { project: string; title: string } => ({ project: 'default', title: text() })
  yield make(task, 'task.create', titled(), titled())
  yield make(task, 'task.change', { title: text() }, { title: text() })
  yield make(task, 'task.move', { to: 'review' }, { to: 'done' })
  yield make(task, 'task.remove', {})
  yield make('project:default', 'project.rename', { name: text() }, { name: text() })
  yield make(`project:${uuidV7()}`, 'project.create', { name: text() }, { name: text() })
  yield make(stream, 'session.abort', { reason: text() }, { reason: text() })
}
