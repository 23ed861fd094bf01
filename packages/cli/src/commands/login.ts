import { hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { type Answer, httpRequest } from '@hotline/client/http-request'
import { isPassing } from '@hotline/client/retry'
import { DeviceOutcome, StartedDevice } from '@hotline/protocol/device-sign-in'
import { type Command, Option } from 'commander'
import { inLine } from '../approval-card.ts'
import { prepareCredentials, storeCredential } from '../credentials.ts'
import { Failure, fail } from '../failure.ts'
import { withUrl } from '../settings.ts'
import type { CommandContext } from './context.ts'

/** Whoever has no credential yet says none. */
const nobody = { kind: 'cookie' } as const
/** The server tells how long to wait; what comes back wrongly, or not at all, is asked for again after this. */
const againMs = 5_000
/** A wait that no server means. */
const waitMaxMs = 60_000
/** No code lives as long: where the server stays away, the command ends. */
const patienceMs = 15 * 60_000

/** `login`: a person confirms a short code in the page, and this machine gets a personal token. */
export function addLoginCommand(program: Command, context: CommandContext): void {
  program
    .command('login')
    .description('sign this machine in: prints a code that you confirm in the page')
    .argument('[url]', 'the server, where it is not the one of --url')
    .addOption(
      new Option('--scope <scope...>', 'what to ask for: read, write, decide, decide_high, admin').default(
        ['read', 'write', 'decide'],
        'read, write, decide',
      ),
    )
    .option('--name <machine>', 'what to call this machine', machineName())
    .action(async (given: string | undefined, { scope, name }: { scope: string[]; name: string }) => {
      const { url, configDir } = withUrl(context.settings(), given)
      prepareCredentials(configDir)
      const body = { machine: name, scopes: scope }
      const started = StartedDevice.parse(
        must(await httpRequest<unknown>(url, nobody, 'POST', '/api/auth/device', body)),
      )
      const { link, page, userCode, expiresAt } = started
      const plain = { link: inLine(link), page: inLine(page), code: inLine(userCode) }
      const interrupted = context.interrupted()
      context.print(
        { ...plain, expiresAt },
        `Open this link where you are signed in, and confirm this machine there:\n\n  ${plain.link}\n\n` +
          `Or type the code ${plain.code} at ${plain.page}\n\nWaiting for you …\n`,
      )
      const got = await waitForPerson(url, started, interrupted)
      storeCredential(configDir, url, { token: got.token, key: got.key, name: got.name })
      const may = got.scopes.join(', ')
      const { key, scopes } = got
      context.print(
        { url, name: got.name, key, scopes, expiresAt: got.expiresAt },
        `Signed in to ${url} as ${inLine(got.name)} (${inLine(may)}, until ${inLine(got.expiresAt)}).\n`,
      )
    })
}

/** Asks until it was decided, or is over. A server that is away for a moment is asked again. */
async function waitForPerson(
  url: string,
  { deviceCode, intervalMs }: StartedDevice,
  interrupted: AbortSignal,
): Promise<DeviceOutcome & { state: 'approved' }> {
  const endsMs = performance.now() + patienceMs
  for (let waitMs = intervalMs; ;) {
    await pause(Math.min(waitMs, waitMaxMs), undefined, { signal: interrupted }).catch(() => {
      throw fail('invalid_request', 'Nobody confirmed it; nothing was stored.')
    })
    const answer = await httpRequest<unknown>(url, nobody, 'POST', '/api/auth/device/token', { deviceCode })
    if (!answer.ok) {
      if (!isPassing(answer.problem) || performance.now() > endsMs) throw new Failure(answer.problem)
      waitMs = answer.problem.retryAfterMs ?? againMs
      continue
    }
    const outcome = DeviceOutcome.parse(answer.value)
    switch (outcome.state) {
      case 'approved':
        return outcome
      case 'denied':
        throw fail('forbidden', 'The sign-in was denied in the page.')
      case 'pending':
        waitMs = outcome.intervalMs
    }
  }
}

function must<R>(answer: Answer<R>): R {
  if (answer.ok) return answer.value
  throw new Failure(answer.problem)
}

/** What the server takes of this machine's name. */
function machineName(): string {
  const seen = hostname()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '')
    .slice(0, 80)
  return seen === '' ? 'a machine' : seen
}
