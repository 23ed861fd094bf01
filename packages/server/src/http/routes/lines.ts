import { LineStats } from '@hotline/protocol/agent-line'
import { type Problem, problem } from '@hotline/protocol/error'
import { Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import type { Lists } from '../../log/lists.ts'
import type { AgentLines } from '../agent-line/agent-lines.ts'
import { Nothing, type RegisterRoute } from '../route.ts'
import { projectsOf } from './sessions.ts'

/** The lines of agents that are open, and what to do where a line or the permissions are asked for without an upgrade. */
export function registerLineRoutes(route: RegisterRoute, { lines, lists }: { lines: AgentLines; lists: Lists }): void {
  route({
    method: 'GET',
    url: '/api/ws/stats',
    summary: 'The lines of agents that are open',
    permission: 'read',
    answer: LineStats,
    handle: async ({ principal }) => ({ value: lines.stats(await projectsOf(principal, lists)) }),
  })

  const upgradeWanted = (): { problem: Problem } => ({
    problem: problem('invalid_request', 'This is the address of a WebSocket: ask for an upgrade to it.'),
  })
  route({
    method: 'GET',
    url: '/ws/agents/:name',
    summary: "The address of an agent's line: a WebSocket, which plain HTTP is told",
    permission: 'read',
    answer: Nothing,
    params: z.strictObject({ name: Id }),
    handle: upgradeWanted,
  })
  route({
    method: 'GET',
    url: '/api/agent/:taskId/updates',
    summary: 'The address of what happens in a task: a WebSocket, which plain HTTP is told',
    permission: 'read',
    answer: Nothing,
    params: z.strictObject({ taskId: Id }),
    handle: upgradeWanted,
  })
  route({
    method: 'GET',
    url: '/api/projects/:id/tasks/:taskId/interact',
    summary: 'The address of the conversation of a card: a WebSocket, which plain HTTP is told',
    permission: 'read',
    answer: Nothing,
    params: z.strictObject({ id: Id, taskId: Id }),
    handle: upgradeWanted,
  })
  route({
    method: 'GET',
    url: '/ws/permissions',
    summary: 'The address of permissions.v1: a WebSocket, which plain HTTP is told',
    permission: 'read',
    answer: Nothing,
    handle: upgradeWanted,
  })
}
