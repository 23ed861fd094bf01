import type { Readable } from 'node:stream'
import type { Permission } from '@hotline/core/roles'
import type { ErrorCode, Problem } from '@hotline/protocol/error'
import { z } from 'zod'
import type { Principal } from '../access/principal.ts'
import type { Visit } from './guard.ts'

/**
 * What a route demands before its handler runs. `open`: nothing (sign-in, bootstrap, health). `signed-in`: any valid
 * credential. `account-admin`: an admin of this server. `runner`: the key of a runner. The others: a credential that has
 * that scope; the role on the project is checked where the project is known.
 */
export type RoutePermission = 'open' | 'signed-in' | 'account-admin' | 'runner' | Permission

/** A file as it comes; `destroyed` where whoever sent it has gone. */
export interface AsyncUpload extends AsyncIterable<Uint8Array> {
  readonly destroyed: boolean
}

/** What a handler gets: parsed values and the one who asks, never raw credentials. */
export interface RouteInput<N extends RoutePermission, B, Q, P> {
  /** On an open route there may be nobody. */
  principal: N extends 'open' ? Principal | undefined : Principal
  body: B
  query: Q
  params: P
  /** The bytes of a file as they come, where the route takes one and one came. */
  upload: AsyncUpload | undefined
  /** `Idempotency-Key`, where the route honours it and one came. */
  idempotencyKey: string | undefined
  /** `Last-Event-ID`, where the route honours it and one came. */
  lastEventId: string | undefined
  visit: Visit
  /** Aborted when the client goes away before the answer is complete, or the server goes down. */
  signal: AbortSignal
}

/** The answer of a route that has nothing to tell: 204. */
export const Nothing = z.undefined()

/** An answer: a value as JSON (or 204 for undefined), a stream of text, or a problem with its own status. */
export type RouteAnswer<A = unknown> =
  | { value: A; setCookie?: string | string[] }
  | { stream: Readable; contentType: string; headers?: Record<string, string>; tag?: string }
  | { problem: Problem }

/** Methods that routes have. */
export type RouteMethod = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** A route without a permission does not compile, and one that gets around the types does not boot. */
export interface Route<
  N extends RoutePermission,
  B extends z.ZodType,
  Q extends z.ZodType,
  P extends z.ZodType,
  A extends z.ZodType,
> {
  method: RouteMethod
  url: string
  /** What it does, in one line, for the document of the API. */
  summary: string
  permission: N
  /** Codes that it refuses with, beside those that follow from its declaration (`refusalsOf`). */
  refuses?: readonly ErrorCode[]
  /** `password`: the person said it within the last minutes (`Proofs`). */
  proof?: 'password'
  /** Bytes of the body where it may be longer than others. */
  bodyBytes?: number
  /** `bytes`: its body is a file, as `application/octet-stream`, and is not read before the handler does. */
  upload?: 'bytes'
  /** Strict schemas. A body without one must be empty; a query without one is not read. */
  body?: B
  query?: Q
  params?: P
  /** A body that is taken as it stands, for the document. */
  example?: NoInfer<z.input<B>>
  /** What the body is, where its schema leaves that to the handler: for the document. */
  bodyShape?: z.ZodType
  /** The shape of what comes back as JSON; `Nothing` where that is 204, or always a stream. */
  answer: A
  /** 200 where it is absent. */
  status?: 201
  /** Types of content that it answers as streams, in the place of a value. */
  streams?: readonly string[]
  /** `idempotency-key`: what it makes is made once for each such header of one sender. */
  once?: 'idempotency-key'
  /** `last-event-id`: it is a stream of events, and goes on after that one. */
  resume?: 'last-event-id'
  /** `success`: what a refusal says goes with `success: false`, as clients of this API expect it. */
  envelope?: 'success'
  /** `etag`: the answer has a tag, and who shows it again gets 304 while nothing changed. For what lists poll. */
  revalidate?: 'etag'
  handle: (
    input: RouteInput<N, z.infer<B>, z.infer<Q>, z.infer<P>>,
  ) => Promise<RouteAnswer<z.input<A>>> | RouteAnswer<z.input<A>>
}

/** Declares one route; its types tie the handler to its schemas. */
export type RegisterRoute = <
  N extends RoutePermission,
  B extends z.ZodType = z.ZodUndefined,
  Q extends z.ZodType = z.ZodUndefined,
  P extends z.ZodType = z.ZodUndefined,
  A extends z.ZodType = z.ZodUndefined,
>(
  route: Route<N, B, Q, P, A>,
) => void

/** A route as it was declared: what the document of the API is made from. */
export type DeclaredRoute = Omit<Route<RoutePermission, z.ZodType, z.ZodType, z.ZodType, z.ZodType>, 'handle'>
