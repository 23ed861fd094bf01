import { QueueAnswer } from '@hotline/protocol/queue'
import { AgentPage, AnnounceAnswer, AnnounceBody, WorkPage } from '@hotline/protocol/http'
import type { Lists } from '../../log/lists.ts'
import type { Runners } from '../../scheduler/runners.ts'
import type { SessionQueue } from '../../scheduler/session-queue.ts'
import { projectsOf } from './sessions.ts'
import type { RegisterRoute } from '../route.ts'

/** Sessions that a runner hears of at once; of more when some of these are done. */
const workMax = 100

/** What a machine that runs agents says and asks, and what people may start on it. */
export function registerRunnerRoutes(
  route: RegisterRoute,
  ports: { runners: Runners; queue: SessionQueue; lists: Lists },
): void {
  const { runners, queue, lists } = ports

  route({
    method: 'PUT',
    url: '/api/runner',
    summary: 'A machine announces itself and its agents',
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
    summary: 'Sessions that wait for this machine',
    permission: 'runner',
    answer: WorkPage,
    handle: async ({ principal }) => {
      const [next, begun] = await Promise.all([queue.workFor(principal), lists.waitingSessions(principal.id, workMax)])
      const mine = begun.filter(({ project }) => !principal.projects || principal.projects.includes(project))
      const others = mine.map(({ session, status, runner }) => ({ session, status, runner }))
      return { value: { work: [...next.slice(0, workMax), ...others] } }
    },
  })

  route({
    method: 'GET',
    url: '/api/queue',
    summary: 'Where sessions stand that wait for a machine or a project to have room',
    permission: 'read',
    answer: QueueAnswer,
    handle: async ({ principal }) => ({ value: { queue: await queue.places(await projectsOf(principal, lists)) } }),
  })

  route({
    method: 'GET',
    url: '/api/agents',
    summary: 'Agents that can be started, as the machines announce them',
    permission: 'read',
    answer: AgentPage,
    handle: () => ({ value: { agents: runners.agents() } }),
  })
}
