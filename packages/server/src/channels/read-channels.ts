import { readFileSync, statSync } from 'node:fs'
import { Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import { ConfigError } from '../config/read-config.ts'
import { isWebhookUrl, secretPattern } from '../config/webhook-target.ts'

const WebhookUrl = z
  .string()
  .max(2_000)
  .refine((text) => URL.canParse(text), 'must be an address')
  .refine(isWebhookUrl, 'must begin with https:// (or lead to this machine), without a name and password in it')

const ChannelSettings = z.strictObject({
  kind: z.literal('webhook'),
  name: Id,
  url: WebhookUrl,
  /** Two while one takes the place of the other. */
  secrets: z.array(z.string().regex(secretPattern, 'must be whsec_ and at least 24 bytes in base64')).min(1).max(2),
  projects: z.array(Id).min(1).optional(),
})
export type ChannelSettings = z.infer<typeof ChannelSettings>

const ChannelsFile = z.strictObject({ channels: z.array(ChannelSettings).max(20) })

/**
 * The channels that the admin of the machine has written down; none where there is no file. Throws a `ConfigError` for a file
 * that others can read, or that says something else.
 */
export function readChannels(path: string): readonly ChannelSettings[] {
  const text = readPrivate(path)
  if (text === undefined) return []
  const wrong = (why: string): ConfigError => new ConfigError(`${path}: ${why}. See docs/channels.md.`)
  let read: unknown
  try {
    read = JSON.parse(text)
  } catch {
    throw wrong('it is not JSON')
  }
  const parsed = ChannelsFile.safeParse(read)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw wrong(`${issue?.path.join('.') ?? ''} ${issue?.message ?? 'is wrong'}`.trim())
  }
  const { channels } = parsed.data
  const names = channels.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw wrong(`two channels are called "${twice}"`)
  return channels
}

function readPrivate(path: string): string | undefined {
  try {
    // It holds secrets.
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
      throw new ConfigError(`${path} can be read by others: chmod 600 it.`)
    }
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
