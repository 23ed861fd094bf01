import { Id } from '@hotline/protocol/ids'
import {
  RecoveryCodes,
  SecondFactorBody,
  SecondFactorState,
  StartedSecondFactor,
} from '@hotline/protocol/second-factor'
import { z } from 'zod'
import type { SecondFactors } from '../../access/second-factors.ts'
import { Nothing, type RegisterRoute } from '../route.ts'

const OfAccount = z.strictObject({ account: Id })

/** The second factor of whoever asks; an admin turns that of somebody else off. */
export function registerSecondFactorRoutes(route: RegisterRoute, factors: SecondFactors): void {
  route({
    method: 'GET',
    url: '/api/me/second-factor',
    summary: 'Whether I sign in with a second factor',
    permission: 'signed-in',
    answer: SecondFactorState,
    handle: async ({ principal }) => ({ value: await factors.state(principal) }),
  })

  route({
    method: 'POST',
    url: '/api/me/second-factor',
    summary: 'Begin a second factor: a secret for my authenticator app',
    permission: 'own',
    status: 201,
    proof: 'password',
    refuses: ['already_exists'],
    answer: StartedSecondFactor,
    handle: async ({ principal }) => {
      const started = await factors.start(principal)
      return 'code' in started ? { problem: started } : { value: started }
    },
  })

  route({
    method: 'POST',
    url: '/api/me/second-factor/confirm',
    summary: 'Turn it on, with a code of the app; the answer has the recovery codes',
    permission: 'own',
    proof: 'password',
    refuses: ['already_exists', 'code_needed', 'not_found'],
    example: { code: '123456' },
    answer: RecoveryCodes,
    body: SecondFactorBody,
    handle: async ({ principal, body }) => {
      const codes = await factors.confirm(principal, body.code)
      return 'code' in codes ? { problem: codes } : { value: { recoveryCodes: [...codes] } }
    },
  })

  route({
    method: 'POST',
    url: '/api/me/second-factor/remove',
    summary: 'Turn my second factor off, with one of its codes',
    permission: 'own',
    proof: 'password',
    refuses: ['code_needed', 'not_found'],
    example: { code: '123456' },
    answer: Nothing,
    body: SecondFactorBody,
    handle: async ({ principal, body }) => {
      const refusal = await factors.remove(principal, body.code)
      return refusal ? { problem: refusal } : { value: undefined }
    },
  })

  route({
    method: 'DELETE',
    url: '/api/accounts/:account/second-factor',
    summary: 'Turn off the second factor of somebody who has lost their app and their codes',
    permission: 'account-admin',
    proof: 'password',
    answer: Nothing,
    params: OfAccount,
    handle: async ({ principal, params }) => {
      const refusal = await factors.removeOf(principal, params.account)
      return refusal ? { problem: refusal } : { value: undefined }
    },
  })
}
