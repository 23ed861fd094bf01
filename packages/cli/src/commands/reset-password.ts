import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, rmSync, statSync } from 'node:fs'
import { httpRequest } from '@hotline/client/http-request'
import type { PasswordResetLink } from '@hotline/protocol/password-reset'
import { localProofFile } from '@hotline/server/access/local-proof'
import { writeSecretFile } from '@hotline/server/access/secret-file'
import type { Command } from 'commander'
import { dayAndTimeOf, inLine } from '../approval-card.ts'
import { Failure, fail } from '../failure.ts'
import type { CommandContext } from './context.ts'

const proofBytes = 32

/** `reset-password`: for whoever sits at the server's machine, also where nobody can sign in any more. */
export function addResetPasswordCommand(program: Command, context: CommandContext): void {
  program
    .command('reset-password')
    .description("on the server's machine: make a link with which a person chooses a new password")
    .argument('<name>', 'of the account')
    .option('--remove-second-factor', 'for somebody who has lost their authenticator app and their recovery codes too')
    .action(async (name: string, options: { removeSecondFactor?: boolean }) => {
      const { dataDir, url } = context.settings()
      if (!existsSync(dataDir)) {
        throw fail('not_found', `${dataDir} does not exist. Run this on the machine of the server, as its user.`)
      }
      const made = await withProof(dataDir, (proof) =>
        httpRequest<PasswordResetLink>(url, { kind: 'cookie' }, 'POST', '/api/auth/password-reset/here', {
          name,
          proof,
          ...(options.removeSecondFactor ? { secondFactor: 'remove' } : {}),
        }),
      )
      if (!made.ok) {
        const advice = made.problem.code === 'unreachable' ? ` (${url}). Start the server first: hotline up` : ''
        throw new Failure({ ...made.problem, detail: `${made.problem.detail.replace(/\.$/, '')}${advice || '.'}` })
      }
      const { link, expiresAt } = made.value
      const until = dayAndTimeOf(expiresAt, new Date())
      context.print(
        made.value,
        `Give this link to ${inLine(name)}, and to nobody else. It works once, until ${until}; then every browser is signed out.\n\n  ${inLine(link)}\n`,
      )
    })
}

/** Shows the server that this process may write into its data directory: by a secret that lies there meanwhile. */
async function withProof<T>(dataDir: string, work: (proof: string) => Promise<T>): Promise<T> {
  const file = localProofFile(dataDir)
  const proof = randomBytes(proofBytes).toString('base64url')
  try {
    await writeSecretFile(file, proof)
    // Written by root, it must still be the server's to read.
    if (process.getuid?.() === 0) {
      const { uid, gid } = statSync(dataDir)
      chownSync(file, uid, gid)
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw fail('forbidden', `Nothing can be written into ${dataDir} (${why}). Run this as the user of the server.`)
  }
  try {
    return await work(proof)
  } finally {
    rmSync(file, { force: true })
  }
}
