import type { Problem } from '@hotline/protocol/error'
import type { TrustedFolders } from '@hotline/protocol/place'
import { type ReactNode, useCallback, useEffect, useState } from 'react'
import { useAgents } from '../live/use-agents.ts'
import { useLive } from '../live/hotline.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { clockText } from '../text/time.ts'

type TrustedRow = TrustedFolders['trusted'][number] & { project: string }

/** Folders whose settings start agents without a question; absent where nobody allowed any. */
export function Trusted(): ReactNode {
  const { link, me } = useLive()
  const [rows, setRows] = useState<readonly TrustedRow[]>([])
  const [problem, setProblem] = useState<Problem>()
  const { agents = [] } = useAgents(rows.length > 0, () => true)
  const { projects } = me
  const load = useCallback(async () => {
    const all = await Promise.all(
      projects.map(async ({ project }) => {
        const path = `/api/projects/${encodeURIComponent(project)}/trusted`
        const answer = await link.request<TrustedFolders>('GET', path)
        if (!answer.ok) setProblem(answer.problem)
        return answer.ok ? answer.value.trusted.map((row) => ({ ...row, project })) : []
      }),
    )
    setRows(all.flat())
  }, [link, projects])
  useEffect(() => void load(), [load])
  async function revoke({ project, runner, digest }: TrustedRow): Promise<void> {
    const outcome = await link.command(`project:${project}`, 'folder.distrust', { runner, digest })
    setProblem(outcome.ok ? undefined : outcome.problem)
    await load()
  }
  if (rows.length === 0 && !problem) return undefined
  return (
    <section className="stack" aria-label="Trusted folders">
      <h2>Trusted folders</h2>
      <p className="small quiet">
        Agents start there with the settings that the folder brings, without a question, as long as these stay exactly
        as they were shown.
      </p>
      <Refusal problem={problem} />
      <table>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.runner} ${row.digest}`}>
              <td className="mono">{row.folder}</td>
              <td className="quiet">{agents.find(({ runnerId }) => runnerId === row.runner)?.runner}</td>
              <td className="quiet small">since {clockText(row.at, Date.now())}</td>
              <td>
                <button type="button" className="button plain" onClick={() => void revoke(row)}>
                  Revoke
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
