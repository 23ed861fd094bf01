import { z } from 'zod'

/**
 * Signing in a program that has no browser, such as a command line on another machine (the idea of RFC 8628): the program
 * shows a short code, a person confirms it in the page, and the program, which asks again and again, is handed a personal
 * token once.
 */

/** What a program may be allowed; never to own. */
export const DeviceScope = z.enum(['read', 'write', 'decide', 'decide_high', 'admin'])
export type DeviceScope = z.infer<typeof DeviceScope>

/** As it is shown, `ABCD-2345`; typed in any case, with or without what divides it. */
const UserCode = z.string().min(1).max(40)

/** `POST /api/auth/device`: a program asks to be signed in. */
export const StartDeviceBody = z.strictObject({
  /** What the machine calls itself; shown to the person as its claim. */
  machine: z
    .string()
    .min(1)
    .max(80)
    .regex(/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]+$/u, 'may hold what can be seen, and blanks'),
  /** What it would like to be allowed; the person decides. */
  scopes: z.array(DeviceScope).min(1).max(5).default(['read', 'write', 'decide']),
})

/** Answer: what the program keeps, and what it shows. */
export const StartedDevice = z.object({
  /** Only the program knows it. */
  deviceCode: z.string(),
  userCode: z.string(),
  /** Where a person types the code. */
  page: z.string(),
  /** The same with the code in its fragment, which is sent to nobody. */
  link: z.string(),
  expiresAt: z.string(),
  /** To wait before asking, each time. */
  intervalMs: z.int(),
})
export type StartedDevice = z.infer<typeof StartedDevice>

/** `POST /api/auth/device/token` */
export const DeviceCodeBody = z.strictObject({ deviceCode: z.string().max(160) })

/** Answer: whoever asks too soon gets `rate_limited` and waits longer from then on; a code that is over is `device_code_over`. */
export const DeviceOutcome = z.discriminatedUnion('state', [
  z.object({ state: z.literal('pending'), intervalMs: z.int() }),
  z.object({ state: z.literal('denied') }),
  /** Told once. `name`: whose token it is. */
  z.object({
    state: z.literal('approved'),
    token: z.string(),
    key: z.string(),
    name: z.string(),
    scopes: z.array(z.string()),
    expiresAt: z.string(),
  }),
])
export type DeviceOutcome = z.infer<typeof DeviceOutcome>

/** `POST /api/auth/device/look` and `/deny` */
export const UserCodeBody = z.strictObject({ userCode: UserCode })

/** Who asks; from then on the code is for the person who looked. */
export const AskingDevice = z.object({
  userCode: z.string(),
  machine: z.string(),
  /** From which network address it asked. */
  address: z.string(),
  scopes: z.array(DeviceScope),
  startedAt: z.string(),
  expiresAt: z.string(),
})
export type AskingDevice = z.infer<typeof AskingDevice>

/** `POST /api/auth/device/approve`: what it is allowed, and for how long. */
export const ApproveDeviceBody = z.strictObject({
  userCode: UserCode,
  scopes: z.array(DeviceScope).min(1).max(5),
  days: z.int().min(1).max(365).default(90),
})
