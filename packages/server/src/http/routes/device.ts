import {
  ApproveDeviceBody,
  AskingDevice,
  DeviceCodeBody,
  DeviceOutcome,
  StartDeviceBody,
  StartedDevice,
  UserCodeBody,
} from '@hotline/protocol/device-sign-in'
import type { DeviceSignIns, OpenSignIn } from '../../access/device-sign-ins.ts'
import { Nothing, type RegisterRoute } from '../route.ts'

/** Signing in a program that has no browser: the program's side is open, the person's takes who they are. */
export function registerDeviceRoutes(route: RegisterRoute, signIns: DeviceSignIns): void {
  route({
    method: 'POST',
    url: '/api/auth/device',
    summary: 'Begin to sign in a program that has no browser',
    permission: 'open',
    status: 201,
    refuses: ['queue_full'],
    answer: StartedDevice,
    body: StartDeviceBody,
    handle: async ({ body, visit }) => {
      const { address, network, origin } = visit
      const started = await signIns.start({ ...body, address, network })
      if ('code' in started) return { problem: started }
      const page = `${origin}/device`
      return { value: { ...started, page, link: `${page}#${started.userCode}` } }
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/device/token',
    summary: 'Ask whether a person has let the program in',
    permission: 'open',
    refuses: ['device_code_over'],
    answer: DeviceOutcome,
    body: DeviceCodeBody,
    handle: async ({ body }) => {
      const outcome = await signIns.ask(body.deviceCode)
      if ('code' in outcome) return { problem: outcome }
      if (outcome.state !== 'approved') return { value: outcome }
      const { row, token } = outcome.made
      const scopes = JSON.parse(row.scopes) as string[]
      const { state, name } = outcome
      return { value: { state, token, key: row.key, name, scopes, expiresAt: row.expires_at } }
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/device/look',
    summary: 'What program a code belongs to',
    permission: 'write',
    refuses: ['not_found', 'device_code_over'],
    answer: AskingDevice,
    body: UserCodeBody,
    handle: async ({ principal, body }) => {
      const found = await signIns.look(principal, body.userCode)
      return 'code' in found ? { problem: found } : { value: askingDevice(found) }
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/device/approve',
    summary: 'Let a program in',
    permission: 'write',
    refuses: ['not_found', 'device_code_over'],
    proof: 'password',
    answer: AskingDevice,
    body: ApproveDeviceBody,
    handle: async ({ principal, body }) => {
      const approved = await signIns.approve(principal, body)
      return 'code' in approved ? { problem: approved } : { value: askingDevice(approved) }
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/device/deny',
    summary: 'Turn a program away',
    permission: 'write',
    answer: Nothing,
    refuses: ['not_found', 'device_code_over'],
    body: UserCodeBody,
    handle: async ({ principal, body }) => {
      const refusal = await signIns.deny(principal, body.userCode)
      return refusal ? { problem: refusal } : { value: undefined }
    },
  })
}

function askingDevice({ userCode, machine, address, scopes, startedAt, expiresAt }: OpenSignIn): AskingDevice {
  return { userCode, machine, address, scopes: [...scopes], startedAt, expiresAt }
}
