import { AgentPage, AnnounceAnswer, AnnounceBody, WorkPage } from '@hotline/protocol/http'
import type { Lists } from '../../log/lists.ts'
import type { Runners } from '../../scheduler/runners.ts'
import type { RegisterRoute } from '../route.ts'

/** What a machine that runs agents says and asks, and what people may start on it. */
export function registerRunnerRoutes(route: RegisterRoute, ports: { runners: Runners; lists: Lists }): void {
  const { runners, lists } = ports

  route({
    method: 'PUT',
    url: '/api/runner',
    permission: 'runner',
    answer: AnnounceAnswer,
    body: AnnounceBody,
    handle: async ({ principal, body }) => {
      await runners.announce(principal.id, body)
      return { value: { runner: principal.id } }
    },
  })

  route({
    method: 'GET',
    url: '/api/runner/work',
    permission: 'runner',
    answer: WorkPage,
    handle: async ({ principal }) => {
      const waiting = await lists.waitingSessions(principal.id, 100)
      const mine = waiting.filter(({ project }) => !principal.projects || principal.projects.includes(project))
      return { value: { work: mine.map(({ session, status, runner }) => ({ session, status, runner })) } }
    },
  })

  route({
    method: 'GET',
    url: '/api/agents',
    permission: 'read',
    answer: AgentPage,
    handle: () => ({ value: { agents: runners.agents() } }),
  })
}
