import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { fastifyStatic } from '@fastify/static'
import { problem } from '@hotline/protocol/error'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { sendProblem } from './fastify-app.ts'
import { securityHeaders } from './security-headers.ts'

/** What the built page has in the place of the nonce for its style elements. */
const noncePlaceholder = '__CSP_NONCE__'
const nonceBytes = 18

const notBuilt = `<!doctype html><meta charset="utf-8"><title>Hotline</title>
<h1>The page is not built yet</h1>
<p>The server runs. Build the page with <code>npm run build</code> and load this again.</p>`

/** What serving the page needs. */
export interface PagePorts {
  app: FastifyInstance
  /** Folder of the built page. */
  dir: string
  tls: 'on' | 'off'
  /** True where a request may see files: from nobody more than limits allow. */
  admit: (request: FastifyRequest, reply: FastifyReply) => Promise<boolean>
}

/** Serves the built page: files as they are, and the page itself for every address that the page routes by itself. */
export async function servePage({ app, dir, tls, admit }: PagePorts): Promise<void> {
  const config = { permission: 'open' }
  // Looked for at each request: a server that runs while the page is being built finds it then.
  const built = (): boolean => existsSync(join(dir, 'index.html'))
  await app.register(fastifyStatic, {
    root: dir,
    serve: false,
    dotfiles: 'deny',
    cacheControl: false,
    // The build leaves `.br` and `.gz` beside its scripts and styles.
    preCompressed: true,
    suppressWarning: true,
  })

  const sendIndex = async (reply: FastifyReply): Promise<FastifyReply> => {
    const styleNonce = randomBytes(nonceBytes).toString('base64')
    const html = built() ? await readFile(join(dir, 'index.html'), 'utf8') : notBuilt
    return reply
      .code(built() ? 200 : 503)
      .headers(securityHeaders({ tls, styleNonce }))
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(html.replaceAll(noncePlaceholder, styleNonce))
  }

  app.get('/', { config }, async (request, reply) => ((await admit(request, reply)) ? sendIndex(reply) : reply))
  app.get<{ Params: { '*': string } }>('/*', { config }, async (request, reply) => {
    if (!(await admit(request, reply))) return reply
    const path = request.params['*']
    if (path.startsWith('api/') || path === 'api') return sendProblem(reply, notHere())
    if (extname(path) === '' || path === 'index.html') return sendIndex(reply)
    if (!built()) return sendProblem(reply, notHere())
    // The names of these files hold a digest of what is in them.
    const forever = path.startsWith('assets/')
    reply.header('cache-control', forever ? 'public, max-age=31536000, immutable' : 'no-cache')
    return reply.sendFile(path)
  })
  app.setNotFoundHandler((_request, reply) => {
    reply.header('cache-control', 'no-store')
    return sendProblem(reply, notHere())
  })
}

function notHere(): ReturnType<typeof problem> {
  return problem('not_found', 'There is nothing here under this name.')
}
