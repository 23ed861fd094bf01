import type { Permission } from '@hotline/core/roles'
import type { Problem } from '@hotline/protocol/error'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Principal } from '../access/principal.ts'

/**
 * What a route demands before its handler runs. `open`: nothing (sign-in, bootstrap, health). `signed-in`: any valid
 * credential. `account-admin`: an admin of this server. `runner`: the key of a runner. The others: a person or service
 * whose credential has that scope; the role on the project is checked where the project is known.
 */
export type RoutePermission = 'open' | 'signed-in' | 'account-admin' | 'runner' | Permission

/** What a handler gets: parsed values and the one who asks, never raw credentials. */
export interface RouteInput<B, Q, P> {
  principal: Principal
  body: B
  query: Q
  params: P
}

/** An answer: a value (200, or 204 for undefined), or a problem with its own status. */
export type RouteAnswer = { value?: unknown; status?: number } | { problem: Problem }

/** A route without a permission does not compile, and one that gets around the types does not boot. */
export interface Route<B extends z.ZodType, Q extends z.ZodType, P extends z.ZodType> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  url: string
  permission: RoutePermission
  /** Strict schemas; a part without one must be empty. */
  body?: B
  query?: Q
  params?: P
  handle: (
    input: RouteInput<z.infer<B>, z.infer<Q>, z.infer<P>>,
    raw: { request: FastifyRequest; reply: FastifyReply },
  ) => Promise<RouteAnswer> | RouteAnswer
}

export type RegisterRoute = <
  B extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  P extends z.ZodType = z.ZodUndefined,
>(
  route: Route<B, Q, P>,
) => void
