import { roleAllows } from '@hotline/core/roles'
import { serverStream } from '@hotline/protocol/stream'
import { Link as To } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useAgents } from '../live/use-agents.ts'
import { OwnRules } from '../parts/own-rules.tsx'
import { RulesOf } from './rule-list.tsx'

/** The rules of each project in their order, with who wrote them, and taking one away. */
export function Rules(): ReactNode {
  const { me } = useLive()
  const { agents = [] } = useAgents(true)
  return (
    <section className="stack" aria-label="Rules">
      <h2>Rules that answer agents</h2>
      <p className="small quiet">
        What denies wins over everything. Of the others the first that fits counts. Where none fits, a person is asked.{' '}
        <To to="/audit" search={{ group: 'rule' }}>
          Who wrote and revoked which
        </To>
      </p>
      {me.projects.map(({ project, name, role }) => (
        <RulesOf
          key={project}
          stream={`project:${project}`}
          path={`/api/projects/${encodeURIComponent(project)}/policy`}
          name={me.projects.length > 1 ? name : undefined}
          mayWrite={roleAllows(role, 'decide')}
          isAdmin={roleAllows(role, 'admin')}
        />
      ))}
      <OwnRules rows={agents} />
    </section>
  )
}

/** The rules that count in every project, for admins of the server. */
export function ServerRules(): ReactNode {
  return (
    <section className="stack" aria-label="In all projects">
      <h2>In all projects of this server</h2>
      <p className="small quiet">
        What denies or asks here no project gets around; what allows here counts where a project says nothing.{' '}
        <To to="/audit" search={{ group: 'rule', text: 'in all projects' }}>
          Who wrote and revoked which
        </To>
      </p>
      <RulesOf stream={serverStream} path="/api/policy" name={undefined} mayWrite isAdmin />
    </section>
  )
}
