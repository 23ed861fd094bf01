import { Command, CommanderError, Option as Flag } from 'commander'
import { describeOptions as describeRunnerOptions } from '@hotline/runner/config'
import { deskVariable } from '@hotline/runner/process/environment'
import { describeOptions } from '@hotline/server/config/options'
import { askServer } from './ask-server.ts'
import { addAgentCommands } from './commands/agents.ts'
import { addAnswerCommand } from './commands/answer.ts'
import { addApprovalCommands } from './commands/approvals.ts'
import { addFileCommands } from './commands/files.ts'
import { addReactCommand } from './commands/react.ts'
import { addRecallCommand } from './commands/recall.ts'
import { addSnoozeCommand } from './commands/snooze.ts'
import { addAuditCommands } from './commands/audit.ts'
import { addBackupCommands } from './commands/backup.ts'
import { addMigrateCommand } from './commands/migrate.ts'
import { addDocumentCommands } from './commands/documents.ts'
import type { CommandContext } from './commands/context.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { addKeyCommands } from './commands/keys.ts'
import { addLoginCommand } from './commands/login.ts'
import { addMcpCommand } from './commands/mcp.ts'
import { addModeCommand } from './commands/mode.ts'
import { addPolicyCommand } from './commands/policy.ts'
import { addPlacesCommand } from './commands/places.ts'
import { addResetPasswordCommand } from './commands/reset-password.ts'
import { addControlCommands } from './commands/control.ts'
import { addSessionCommands } from './commands/sessions.ts'
import { addSearchCommand } from './commands/search.ts'
import { addSignInCommands } from './commands/sign-in.ts'
import { addTakeoverCommand } from './commands/takeover.ts'
import { addChangesCommand } from './commands/changes.ts'
import { addUsageCommand } from './commands/usage.ts'
import { addConnectionsCommand } from './commands/connections.ts'
import { addQueueCommand } from './commands/queue.ts'
import { addTaskCommand } from './commands/task.ts'
import { addMemberCommands } from './commands/members.ts'
import { addWebhookCommands } from './commands/webhooks.ts'
import { addTrustCommand } from './commands/trust.ts'
import { addUndoCommands } from './commands/undo.ts'
import { up, type UpFacts } from './commands/up.ts'
import { exitCodeOf, fail, Failure } from './failure.ts'
import { describeOption, type Option, options } from './options.ts'
import { plainText } from './plain-text.ts'
import { type Flags, readSettings } from './settings.ts'

const version = '0.1.0'

/** The `hotline` command. Sets the exit code of the error table. */
export async function main(argv: readonly string[]): Promise<void> {
  // `hotline logs … | head`: nobody reads any more, and that is fine.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  const program = new Command('hotline')
  const asJson = isJsonWished(argv)
  // What was typed wrongly is a problem like every other refusal; its sentence is in there.
  if (asJson) program.configureOutput({ writeErr: () => undefined })
  else program.showHelpAfterError('(hotline --help says what there is)')
  addEverything(program, argv)
  try {
    await program.parseAsync([...argv])
  } catch (error) {
    process.exitCode = report(error, asJson)
  }
}

/** Known before the line is understood; what comes after `--` belongs to somebody else. */
function isJsonWished(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(0, end === -1 ? argv.length : end).includes(options.json.flag)
}

function report(error: unknown, asJson: boolean): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0
    const isBare = error.code === 'commander.help'
    const detail = isBare ? 'There is no command. See: hotline --help' : error.message.replace(/^error: /, '')
    const refusal = fail('invalid_request', detail).problem
    // For a person its sentence is on standard error already.
    if (asJson) console.error(JSON.stringify(refusal))
    return exitCodeOf(refusal)
  }
  if (!(error instanceof Failure)) {
    console.error(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return 1
  }
  console.error(asJson ? JSON.stringify(error.problem) : `hotline: ${plainText(error.problem.detail)}`)
  return exitCodeOf(error.problem)
}

function addEverything(program: Command, argv: readonly string[]): void {
  program.description('The direct line between people and their running AI agents').version(version).exitOverride()
  for (const name of ['url', 'token', 'dataDir', 'json'] as const) program.addOption(flagOf(options[name]))
  const context = contextOf(program)
  addUpCommand(program, context)
  addSessionCommands(program, context, argv)
  addReactCommand(program, context)
  addFileCommands(program, context)
  addControlCommands(program, context)
  addTakeoverCommand(program, context)
  addAgentCommands(program, context)
  addApprovalCommands(program, context)
  addRecallCommand(program, context)
  addSnoozeCommand(program, context)
  addAnswerCommand(program, context)
  addChangesCommand(program, context)
  addUndoCommands(program, context)
  addPlacesCommand(program, context)
  addPolicyCommand(program, context)
  addModeCommand(program, context)
  addTaskCommand(program, context)
  addConnectionsCommand(program, context)
  addUsageCommand(program, context)
  addQueueCommand(program, context)
  addMemberCommands(program, context)
  addWebhookCommands(program, context)
  addTrustCommand(program, context)
  addKeyCommands(program, context)
  addLoginCommand(program, context)
  addSignInCommands(program, context)
  addResetPasswordCommand(program, context)
  addDoctorCommand(program, context)
  addBackupCommands(program, context)
  addMigrateCommand(program, context)
  addAuditCommands(program, context)
  addSearchCommand(program, context)
  addDocumentCommands(program, context)
  addMcpCommand(program, context, { version, deskFile: process.env[deskVariable] })
}

function addUpCommand(program: Command, context: CommandContext): void {
  program
    .command('up')
    .description('start the server, a runner and the page, until Ctrl-C')
    .addOption(flagOf(options.port))
    .addOption(new Flag('--only <part>', 'start that part alone').choices(['server', 'runner']))
    .addHelpText('after', () => `\n${describeOptions()}\n${describeRunnerOptions()}`)
    .action(async (given: { port?: string; only?: 'server' | 'runner' }) => {
      const flags = { ...program.opts<Flags>(), ...given }
      await up({
        settings: readSettings(flags, process.env),
        env: process.env,
        only: given.only,
        say: (line) => (context.json ? context.note(line) : context.write(`${line}\n`)),
        ready: (facts) => {
          const text = given.only === 'runner' ? `This machine runs agents for ${facts.url}.\n` : readyText(facts)
          context.print({ ready: true, ...facts }, `${text}\nCtrl-C ends everything.\n`)
        },
      })
    })
}

/** Behind a public name this machine's own address is said too: the proxy in front may not be there yet. */
function readyText({ url, local, bootstrap }: UpFacts): string {
  const here = bootstrap === undefined ? local : `${local}/${new URL(bootstrap).hash}`
  const beside = local === undefined ? '' : `\nOn this machine it answers here too:\n\n  ${here}\n`
  const link =
    bootstrap === undefined
      ? `Hotline is at ${url}\n`
      : `Open this link to begin (it works once, for 30 minutes):\n\n  ${bootstrap}\n`
  return `${link}${beside}`
}

function contextOf(program: Command): CommandContext {
  const asJson = (): boolean => program.opts<Flags>().json === true
  const write = (text: string): void => void process.stdout.write(text)
  const settings = (): ReturnType<typeof readSettings> => readSettings(program.opts<Flags>(), process.env)
  return {
    settings,
    server: () => askServer(settings()),
    get json() {
      return asJson()
    },
    print: (value, text) => write(asJson() ? `${JSON.stringify(value)}\n` : text),
    write,
    note: (text) => console.error(text),
    stdin: process.stdin,
    exit: (code) => {
      process.exitCode = code
    },
    interrupted: () => {
      const controller = new AbortController()
      process.once('SIGINT', () => controller.abort())
      return controller.signal
    },
  }
}

function flagOf(option: Option): Flag {
  return new Flag(option.value === undefined ? option.flag : `${option.flag} ${option.value}`, describeOption(option))
}
