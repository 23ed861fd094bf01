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
import type { RegisterRoute } from '../route.ts'

/** Signing in a program that has no browser: the program's side is open, the person's takes who they are. */
export function registerDeviceRoutes(route: RegisterRoute, signIns: DeviceSignIns): void {
  route({
    method: 'POST',
    url: '/api/auth/device',
    permission: 'open',
    answer: StartedDevice,
    body: StartDeviceBody,
    handle: async ({ body, visit }) => {
      const { address, network, origin } = visit
      const started = await signIns.start({ ...body, address, network })
      if ('code' in started) return { problem: started }
      const page = `${origin}/device`
      return { value: { ...started, page, link: `${page}#${started.userCode}` }, status: 201 }
    },
  })

  route({
    method: 'POST',
    url: '/api/auth/device/token',
    permission: 'open',
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
    permission: 'write',
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
    permission: 'write',
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
    permission: 'write',
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
