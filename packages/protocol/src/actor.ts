import { z } from 'zod'

/** Who did it. `runner` speaks for the machine that holds an agent, `system` for the server's own clocks and rules. */
export const Actor = z.object({
  kind: z.enum(['person', 'agent', 'service', 'runner', 'system']),
  id: z.string(),
})
export type Actor = z.infer<typeof Actor>

/**
 * Through what an actor spoke: `web:<key>`, `api:<key>`, `runner:<id>`, and `cli:<terminal>/<key>`, where the terminal is what a
 * program said of itself (`Hotline-Client`, or `client` of hello) and the key is known.
 */
export const Channel = z.string().max(200)

/** Roles on a project, weakest first; each includes those before it, except that only some may decide (see core/roles). */
export const roles = ['viewer', 'operator', 'approver', 'admin', 'owner'] as const

/** What somebody may do in a project, see `core/roles`. */
export const Role = z.enum(roles)
export type Role = z.infer<typeof Role>
