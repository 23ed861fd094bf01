import { uuidV7 } from '@hotline/client/uuid'
import { openApprovals } from '@hotline/core/session/state'
import type { AgentRow, Me, SessionRow } from '@hotline/protocol/http'
import { isLive } from '@hotline/protocol/session-status'
import { Command, CommanderError } from 'commander'
import { askServer, type Server } from './ask-server.ts'
import { doctor } from './commands/doctor.ts'
import { up } from './commands/up.ts'
import { watchSession } from './commands/watch.ts'
import { exitCodeOf, Failure, fail } from './failure.ts'
import { plainText } from './plain-text.ts'
import { type Flags, readSettings, type Settings } from './settings.ts'

const version = '0.1.0'

/** The `hotline` command. Ends the process with the exit code of the error table. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = commandLine()
  try {
    await program.parseAsync([...argv])
  } catch (error) {
    process.exitCode = report(error, program.opts<{ json?: boolean }>().json === true)
  }
}

function report(error: unknown, asJson: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (!(error instanceof Failure)) {
    console.error(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return 1
  }
  console.error(asJson ? JSON.stringify(error.problem) : `hotline: ${plainText(error.problem.detail)}`)
  return exitCodeOf(error.problem)
}

function commandLine(): Command {
  const program = new Command('hotline')
    .description('The direct line between people and their running AI agents')
    .version(version)
    .option('--url <url>', 'the server (HOTLINE_URL; default: the one on this machine)')
    .option(
      '--token <token>',
      'a personal token (HOTLINE_TOKEN; default: the one that the server on this machine left)',
    )
    .option(
      '--data-dir <folder>',
      'where the server on this machine keeps everything (HOTLINE_DATA_DIR; default: ~/.hotline)',
    )
    .option('--json', 'machine-readable output')
    .exitOverride()
  const settings = (): Settings => readSettings(program.opts<Flags>(), process.env)
  const server = (): Server => askServer(settings())
  const asJson = (): boolean => program.opts<{ json?: boolean }>().json === true
  const write = (text: string): void => void process.stdout.write(text)
  const print = (value: unknown, text: string): void => write(asJson() ? `${JSON.stringify(value)}\n` : text)

  program
    .command('up')
    .description('start the server, a runner and the page, until Ctrl-C')
    .action(() => up(settings().dataDir, process.env, (line) => write(`${line}\n`)))

  program
    .command('run')
    .description('start an agent: run <agent> [prompt], or any command: run -- <command> [arguments]')
    .argument('<agent...>')
    .option('--title <title>', 'name in the lists')
    .option('--cwd <folder>', 'where it works', process.cwd())
    .option('--project <project>', 'project (default: the first one)')
    .option('--detach', 'do not stay and watch')
    .action(async (words: string[], options: { title?: string; cwd: string; project?: string; detach?: boolean }) => {
      const there = server()
      const any = process.argv.includes('--') && process.argv.indexOf('--') === process.argv.length - words.length - 1
      const project = options.project ?? (await there.get<Me>('/api/me')).projects[0]?.project
      if (project === undefined) throw fail('not_found', 'You are in no project yet.')
      const session = uuidV7()
      const prompt = words.slice(1).join(' ')
      await there.command(`session:${session}`, 'session.start', {
        project,
        agent: any ? 'command' : (words[0] ?? ''),
        ...(any ? { command: words } : {}),
        ...(any || !['demo'].includes(words[0] ?? '') ? { cwd: options.cwd } : {}),
        ...(!any && prompt !== '' ? { prompt } : {}),
        ...(options.title === undefined ? {} : { title: options.title }),
      })
      if (options.detach) return print({ session }, `${session}\n`)
      await stay(there, session)
    })

  async function stay(there: Server, session: string): Promise<void> {
    const state = await watchSession(there, session, { json: asJson(), follow: true, input: process.stdin, write })
    if (state?.status === 'failed') process.exitCode = 1
  }

  program
    .command('attach')
    .description('watch a session and write to it: lines are messages; /allow, /deny [reason], /stop, /quit')
    .argument('<session>')
    .action(async (text: string) => {
      const there = server()
      await stay(there, (await there.findSession(text)).session)
    })

  program
    .command('logs')
    .description('print a session')
    .argument('<session>')
    .option('-f, --follow', 'go on until it ends')
    .action(async (text: string, options: { follow?: boolean }) => {
      const there = server()
      const { session } = await there.findSession(text)
      await watchSession(there, session, { json: asJson(), follow: options.follow === true, write })
    })

  program
    .command('ls')
    .description('the sessions')
    .option('-a, --all', 'ended ones too')
    .action(async (options: { all?: boolean }) => {
      const rows = (await server().sessions()).filter(({ status }) => options.all || isLive(status as 'active'))
      print(rows, rows.length > 0 ? rows.map(rowLine).join('') : 'No sessions. Start one: hotline run demo\n')
    })

  program
    .command('agents')
    .description('what can be started')
    .action(async () => {
      const { agents } = await server().get<{ agents: AgentRow[] }>('/api/agents')
      print(
        agents,
        agents
          .map(
            (row) =>
              `${row.agent.padEnd(16)} ${plainText(row.available ? row.description : (row.hint ?? 'not available'))}\n`,
          )
          .join(''),
      )
    })

  program
    .command('send')
    .description('write to a session')
    .argument('<session>')
    .argument('<text...>')
    .action(async (text: string, words: string[]) => {
      const there = server()
      const { session } = await there.findSession(text)
      const accepted = await there.command(`session:${session}`, 'message.send', { text: words.join(' ') })
      print(accepted, 'sent\n')
    })

  for (const verdict of ['allow', 'deny'] as const) {
    program
      .command(verdict === 'allow' ? 'approve' : 'deny')
      .description(`${verdict} what an agent asks; name the session, or the approval where several are open`)
      .argument('<session-or-approval>')
      .option('--reason <text>', 'told to the agent where it can hear it')
      .action(async (text: string, options: { reason?: string }) => {
        const there = server()
        const found = await findApproval(there, text)
        const accepted = await there.command(`session:${found.session}`, 'approval.decide', {
          approval: found.approval,
          digest: found.digest,
          verdict,
          ...(options.reason === undefined ? {} : { reason: options.reason }),
        })
        print(accepted, verdict === 'allow' ? 'allowed\n' : 'denied\n')
      })
  }

  program
    .command('abort')
    .description('end a session and its agent')
    .argument('<session>')
    .option('--reason <text>')
    .action(async (text: string, options: { reason?: string }) => {
      const there = server()
      const { session } = await there.findSession(text)
      const reason = options.reason === undefined ? {} : { reason: options.reason }
      print(await there.command(`session:${session}`, 'session.abort', reason), 'ending\n')
    })

  program
    .command('doctor')
    .description('check this machine, the data directory and the server')
    .action(async () => {
      const findings = await doctor(settings())
      print(findings, findings.map(({ ok, what }) => `${ok ? 'ok  ' : 'FAIL'} ${plainText(what)}\n`).join(''))
      if (findings.some(({ ok }) => !ok)) process.exitCode = 1
    })
  return program
}

function rowLine(row: SessionRow): string {
  const needs = row.openApprovals.length + row.openQuestions.length
  const state = row.staleSince === null ? row.status : 'out of contact'
  return `${row.session.slice(0, 18)}  ${state.padEnd(14)} ${(needs > 0 ? `NEEDS YOU ${needs}` : row.turn).padEnd(12)} ${row.agent.padEnd(10)} ${plainText(row.title)}\n`
}

/** By the approval's id, or the only open one of a session. */
async function findApproval(
  there: Server,
  text: string,
): Promise<{ session: string; approval: string; digest: string }> {
  const rows = await there.sessions()
  const row =
    rows.find(({ openApprovals: open }) => open.includes(text)) ?? rows.find(({ session }) => session.startsWith(text))
  if (!row) throw fail('not_found', `There is no open approval and no session "${text}". See: hotline ls`)
  const { state } = await there.state(row.session)
  const open = openApprovals(state)
  const wanted = open.find(({ approval }) => approval === text) ?? (open.length === 1 ? open[0] : undefined)
  if (wanted) return { session: row.session, approval: wanted.approval, digest: wanted.digest }
  if (open.length === 0) throw fail('not_found', 'This session asks nothing now.')
  throw fail('invalid_request', `Several are open; name one of: ${open.map(({ approval }) => approval).join(', ')}`)
}
