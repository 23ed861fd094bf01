import type { Link } from '../link.ts'
import { systemClock } from '../clock.ts'
import { httpRequest } from '../http-request.ts'
import { type LinkOptions, openLink } from '../open-link.ts'
import { memoryOutbox } from '../outbox.ts'
import { socketUrl } from '../socket-carrier.ts'
import { uuidV7 } from '../uuid.ts'
import type { Locks } from './leadership.ts'
import { Tab } from './tab.ts'
import { type Channel, openCommonChannel, type OpenChannel, sharedName } from './tab-channels.ts'

/** As for a link of its own; `outbox` is one that all tabs of the account share. */
export interface SharedLinkOptions extends LinkOptions {
  /** Whose tabs share. Those of other accounts and servers never meet. */
  account: string
  /** Called when the person signs out in another tab. */
  signedOut?: () => void
  /** The browser's own when absent. */
  locks?: Locks | undefined
  openChannel?: OpenChannel | undefined
}

/** A link that is one of several over the same connection. */
export interface SharedLink extends Link {
  /** Tells all tabs of the account that the person has signed out, and ends them; this one too. */
  signOut(): Promise<void>
}

/** What a browser has; other runtimes, and pages that are not served securely, may lack either. */
interface Shareable {
  navigator?: { locks?: Locks }
  BroadcastChannel?: new (name: string) => Channel
}

/**
 * One connection for all tabs of a browser: one of them leads (a Web Lock) and holds it, the others speak through it (a
 * `BroadcastChannel` for each). When it is closed, goes to sleep or does not answer, another takes its place, and nothing is
 * lost or doubled. Where the browser lacks either of the two, each tab has a connection of its own.
 */
export function openSharedLink(options: SharedLinkOptions): SharedLink {
  const runtime = globalThis as unknown as Shareable
  const { account, signedOut = () => undefined, ...own } = options
  const { locks = runtime.navigator?.locks, openChannel = channelsOf(runtime) } = options
  const { url, credential, clock = systemClock, outbox = memoryOutbox() } = options
  // As a link of its own would: a wrong address is told at once.
  socketUrl(url)
  const name = sharedName(url, account)
  if (!locks || !openChannel) return openAlone({ ...own, account }, openChannel, name, signedOut)
  const tab = new Tab({
    id: uuidV7(clock.wallMs()),
    name,
    outbox,
    locks,
    openChannel,
    openOwn: (shared) => openLink({ ...own, account, outbox: shared }),
    clock,
    signedOut,
  })
  return {
    connection: tab.connection,
    outbox: tab.outbox,
    follow: (stream, after, follower) => tab.follow(stream, after, follower),
    command: (stream, type, data, { id = uuidV7(clock.wallMs()), signal } = {}) =>
      tab.commands.give({ id, stream, type, data }, tab.others, signal),
    takeBack: (id) => tab.commands.takeBack(id),
    recall: () => undefined,
    reconnect: () => tab.reconnect(),
    wake: () => tab.wake(),
    request: (method, path, body) => httpRequest(url, credential, method, path, body),
    typing: (stream) => tab.typing(stream),
    ephemeral: (hear) => tab.ephemeral(hear),
    signOut: () => tab.signOut(),
    [Symbol.asyncDispose]: () => tab.close(),
  }
}

/** A connection for this tab alone; that somebody signs out is told all the same, where it can be. */
function openAlone(
  options: LinkOptions,
  openChannel: OpenChannel | undefined,
  name: string,
  signedOut: () => void,
): SharedLink {
  const link = openLink(options)
  const common =
    openChannel &&
    openCommonChannel(openChannel, name, ({ t }) => {
      if (t !== 'signed-out') return
      signedOut()
      void link[Symbol.asyncDispose]()
    })
  const close = async (): Promise<void> => {
    common?.close()
    await link[Symbol.asyncDispose]()
  }
  return {
    ...link,
    signOut: async () => {
      common?.post({ t: 'signed-out' })
      await close()
    },
    [Symbol.asyncDispose]: close,
  }
}

function channelsOf({ BroadcastChannel: Browsers }: Shareable): OpenChannel | undefined {
  return Browsers && ((name) => new Browsers(name))
}
