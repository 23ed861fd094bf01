import type { Link } from '@hotline/client/link'

/** What the runner needs of its connection to the server. */
export type ServerLink = Pick<Link, 'connection' | 'follow' | 'command' | 'request' | 'ephemeral'>
