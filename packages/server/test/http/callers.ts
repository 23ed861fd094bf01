import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { uuidV7 } from '@hotline/client/uuid'
import { startLiveServer, type LiveServer } from '@hotline/testing/live-server'
import { openRawWebSocket, type RawWebSocket } from '@hotline/testing/raw-websocket'
import { owner } from './http-stack.ts'
import { enterRaw, heard } from '@hotline/testing/raw-conversation'

/** A credential: the session of a browser, or a token. */
export interface Who {
  cookie?: string
  token?: string
}

export interface Answered {
  status: number
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of any form
  body: any
  cookie: string
}

/** A whole server with people of every role, a stranger, and every reduced credential. */
export interface Callers extends AsyncDisposable {
  readonly server: LiveServer
  readonly port: number
  readonly owner: Who
  /** Credentials by what they are. */
  readonly who: Readonly<Record<string, Who>>
  /** Ids of accounts by their names. */
  readonly accounts: Readonly<Record<string, string>>
  call(method: string, path: string, who: Who, body?: object): Promise<Answered>
  /** Something that must go well. */
  command(who: Who, stream: string, type: string, data: object): Promise<void>
}

const plenty = '1000000'
const password = 'nine slow barges under the bridge'

/** Starts the server; `default` is the project where everybody has a role, in `elsewhere` is nobody but the owner. */
export async function openCallers(): Promise<Callers> {
  const server = await startLiveServer({
    env: {
      HOTLINE_LIMIT_REQUESTS_PER_NETWORK: plenty,
      HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL: plenty,
      HOTLINE_LIMIT_SOCKETS_PER_ACCOUNT: '200',
    },
  })
  const call: Callers['call'] = async (method, path, who, body) => {
    const response = await fetch(new URL(path, server.url), {
      method,
      headers: {
        origin: server.url,
        ...(who.cookie === undefined ? {} : { cookie: who.cookie }),
        ...(who.token === undefined ? {} : { authorization: `Bearer ${who.token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const set = response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
    const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '') && text !== ''
    return { status: response.status, body: isJson ? JSON.parse(text) : text, cookie: set }
  }
  const must = async (path: string, who: Who, body: object): Promise<Answered> => {
    const answer = await call('POST', path, who, body)
    if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`)
    return answer
  }
  const command: Callers['command'] = async (who, stream, type, data) => {
    await must('/api/commands', who, { id: uuidV7(), stream, type, data })
  }
  const key = async (who: Who, kind: string, more: object = {}): Promise<Who> => ({
    token: (await must('/api/keys', who, { kind, name: 'x', ...more })).body.token as string,
  })

  const all: Who = { cookie: (await must('/api/auth/sign-in', {}, owner)).cookie }
  const accounts: Record<string, string> = { owner: (await call('GET', '/api/me', all)).body.id as string }
  const account = async (name: string): Promise<Who> => {
    accounts[name] = (await must('/api/accounts', all, { name, password })).body.account as string
    return { cookie: (await must('/api/auth/sign-in', {}, { name, password })).cookie }
  }
  await command(all, 'project:elsewhere', 'project.create', { name: 'Elsewhere' })

  const who: Record<string, Who> = { 'owner in a browser': all }
  for (const role of ['admin', 'approver', 'operator', 'viewer']) {
    const inBrowser = await account(role)
    await command(all, 'project:default', 'member.add', { account: accounts[role], role })
    who[`${role} in a browser`] = inBrowser
    who[`${role} by token`] = await key(inBrowser, 'pat')
    who[`service of ${role}`] = await key(inBrowser, 'svc')
  }
  // Who is added and changed by others, and does nothing.
  await account('pawn')
  const stranger = await account('stranger')
  who['stranger in a browser'] = stranger
  who['stranger by token'] = await key(stranger, 'pat')
  who['owner by token'] = await key(all, 'pat')
  who['owner by the token of this machine'] = { token: server.token }
  for (const scope of ['read', 'write', 'decide', 'decide_high', 'admin']) {
    who[`owner with scope ${scope}`] = await key(all, 'pat', { scopes: [scope] })
  }
  who['owner with scopes decide and decide_high'] = await key(all, 'pat', { scopes: ['decide', 'decide_high'] })
  who['service with scope read'] = await key(all, 'svc', { scopes: ['read'] })
  who['service for default'] = await key(all, 'svc', { projects: ['default'] })
  who['owner for elsewhere'] = await key(all, 'pat', { projects: ['elsewhere'] })
  who['owner for no project'] = await key(all, 'pat', { projects: [] })
  who['runner'] = await key(all, 'run')
  who['runner for elsewhere'] = await key(all, 'run', { projects: ['elsewhere'] })
  who['runner of this machine'] = { token: readFileSync(join(server.dataDir, 'runner-key'), 'utf8').trim() }
  // What a service makes of its key for a while is worth what the key is.
  const signed = await call('POST', '/api/auth/token', who['service of approver'] ?? {})
  who['service of approver, signed'] = { token: (signed.body as { token: string }).token }
  // One that has said the password, so that more than a browser does what needs it.
  const confirmed = await key(all, 'pat')
  await must('/api/auth/confirm', confirmed, { password: owner.password })
  who['owner by token, with the password said'] = confirmed

  return {
    server,
    port: Number(new URL(server.url).port),
    owner: all,
    who,
    accounts,
    call,
    command,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** A socket through each door that the credential has: a ticket, or the token in the first frame and in the header. */
export async function openSockets(callers: Callers, who: Who): Promise<RawWebSocket[]> {
  const { server, port } = callers
  const host = ['Host', `localhost:${port}`] as const
  if (who.token === undefined) {
    const { ticket } = (await callers.call('POST', '/api/auth/ticket', who)).body as { ticket: string }
    return [await enterRaw(port, { ticket }, [host, ['Origin', server.url]])]
  }
  const byFrame = await enterRaw(port, who.token)
  const headers = [host, ['Authorization', `Bearer ${who.token}`]] as const
  const byHeader = await openRawWebSocket({ port, path: '/api/ws', protocols: ['hotline.v1'], headers })
  await heard(byHeader, ({ t }) => t === 'welcome')
  return [byFrame, byHeader]
}
