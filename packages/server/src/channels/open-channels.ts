import type { ChannelRow } from '@hotline/protocol/channels'
import type { Channel } from './channel.ts'
import { Deliveries, type DeliveryPorts } from './deliveries.ts'
import type { ChannelSettings } from './read-channels.ts'
import { openWebhook } from './webhook/webhook.ts'

/** The channels of a server, each with its deliveries. */
export interface Channels extends AsyncDisposable {
  rows(): Promise<readonly ChannelRow[]>
}

/** Opens the channels of the settings; what is open is delivered from now on. */
export function openChannels(
  settings: readonly ChannelSettings[],
  ports: Omit<DeliveryPorts, 'channel' | 'projects'>,
): Channels {
  const all = settings.map(
    (one) => new Deliveries({ ...ports, channel: channelOf(one, ports), projects: one.projects }),
  )
  return {
    rows: () => Promise.all(all.map((deliveries) => deliveries.row())),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(all.map((deliveries) => deliveries[Symbol.asyncDispose]()))
    },
  }
}

function channelOf(settings: ChannelSettings, { clock }: Pick<DeliveryPorts, 'clock'>): Channel {
  switch (settings.kind) {
    case 'webhook':
      return openWebhook(settings, clock)
  }
}
