import { ChannelPage, type ChannelRow } from '@hotline/protocol/channels'
import type { RegisterRoute } from '../route.ts'

/** The ways out to people who are not here. */
export interface ChannelRows {
  rows(): Promise<readonly ChannelRow[]>
}

/** How the channels stand, for whoever runs the server. */
export function registerChannelRoutes(route: RegisterRoute, channels: ChannelRows): void {
  route({
    method: 'GET',
    url: '/api/channels',
    summary: 'The ways out of this server and how their deliveries stand',
    permission: 'account-admin',
    answer: ChannelPage,
    handle: async () => ({ value: { channels: [...(await channels.rows())] } }),
  })
}
