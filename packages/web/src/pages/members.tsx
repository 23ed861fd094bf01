import { type Role, roles } from '@hotline/protocol/actor'
import type { AccountRow, MemberPage, PeoplePage } from '@hotline/protocol/http'
import { type FormEvent, type ReactNode, useCallback, useEffect, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { PasswordAgain } from '../parts/password-again.tsx'
import { Refusal } from '../parts/refusal.tsx'
import { legibleName } from '../text/legible.ts'
import { roleWords } from './role-words.ts'
import { usePassword } from './use-password.ts'

type Member = MemberPage['members'][number]

/** One change of one member; `undefined` as the role: out of the project. */
interface Change {
  account: string
  name: string
  role: Role | undefined
}

/** Who is in a project, for those who say who is: they let people in, give them roles, and shut them out. */
export function Members(): ReactNode {
  const { me } = useLive()
  const mine = me.projects.filter(({ role }) => role === 'owner' || role === 'admin')
  const [chosen, setChosen] = useState(mine[0]?.project ?? '')
  const project = mine.find((one) => one.project === chosen)
  if (!project) return undefined
  return (
    <section className="stack" aria-label="Members">
      <h2>Members</h2>
      {mine.length > 1 && (
        <select
          className="input"
          aria-label="Project whose members are shown"
          value={chosen}
          onChange={(event) => setChosen(event.target.value)}
        >
          {mine.map((one) => (
            <option key={one.project} value={one.project}>
              {legibleName(one.name)}
            </option>
          ))}
        </select>
      )}
      <OfProject key={chosen} project={chosen} role={project.role} />
    </section>
  )
}

function OfProject({ project, role: own }: { project: string; role: Role }): ReactNode {
  const { link, me } = useLive()
  const [members, setMembers] = useState<readonly Member[]>([])
  /** Who could be let in: everybody for an admin of the server, for others whom they share a project with. */
  const [known, setKnown] = useState<readonly { account: string; name: string }[]>([])
  const [wanted, setWanted] = useState<Change>()
  const password = usePassword()
  const { say } = password
  const load = useCallback(async () => {
    const answer = await link.request<MemberPage>('GET', `/api/projects/${encodeURIComponent(project)}/members`)
    if (answer.ok) setMembers(answer.value.members)
    else say(answer.problem)
    if (me.admin) {
      const all = await link.request<{ accounts: AccountRow[] }>('GET', '/api/accounts')
      if (all.ok) setKnown(all.value.accounts.filter(({ disabled }) => !disabled))
    } else {
      const all = await link.request<PeoplePage>('GET', '/api/people')
      // Programs are no members: they may what the account of theirs may.
      const people = all.ok ? all.value.people.filter(({ kind }) => kind === 'person') : []
      setKnown(people.map(({ id, name }) => ({ account: id, name })))
    }
  }, [link, project, me.admin, say])
  useEffect(() => void load(), [load])

  // Owners are made and unmade by owners alone.
  const given = roles.filter((role) => role !== 'owner' || own === 'owner')
  const mayChange = ({ account, role }: Member): boolean => account !== me.id && (role !== 'owner' || own === 'owner')
  const others = known.filter(({ account }) => members.every((member) => member.account !== account))

  async function send(change: Change, said: FormData): Promise<void> {
    const { account, role } = change
    const isIn = members.some((member) => member.account === account)
    const done = await password.send(said, async () =>
      role === undefined
        ? link.command(`project:${project}`, 'member.remove', { account })
        : link.command(`project:${project}`, isIn ? 'member.change' : 'member.add', { account, role }),
    )
    if (done) setWanted(undefined)
    await load()
  }
  function want(change: Change): void {
    setWanted(change)
    void send(change, new FormData())
  }
  return (
    <>
      <table>
        <tbody>
          {members.map((member) => (
            <tr key={member.account}>
              <td>
                {legibleName(member.name)}
                {member.account === me.id && <span className="quiet"> (you)</span>}
              </td>
              <td>
                {mayChange(member) ? (
                  <select
                    className="input"
                    aria-label={`Role of ${legibleName(member.name)}`}
                    value={member.role}
                    onChange={(event) => {
                      const role = given.find((one) => one === event.target.value)
                      if (role) want({ ...member, role })
                    }}
                  >
                    {given.map((role) => (
                      <option key={role} value={role}>
                        {role}
                      </option>
                    ))}
                  </select>
                ) : (
                  <span className="quiet">{member.role}</span>
                )}
              </td>
              <td className="end">
                {mayChange(member) && (
                  <button
                    type="button"
                    className="button plain"
                    aria-label={`Remove ${legibleName(member.name)}`}
                    onClick={() => setWanted({ ...member, role: undefined })}
                  >
                    Remove
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Refusal problem={password.problem} />
      {wanted && (password.isAsked || wanted.role === undefined) && (
        <form
          className="stack"
          aria-label="Confirm the change"
          onSubmit={(event) => {
            event.preventDefault()
            void send(wanted, new FormData(event.currentTarget))
          }}
        >
          <p>
            {wanted.role === undefined
              ? `${legibleName(wanted.name)} is shut out of the project at once, and nothing that they started ends.`
              : `${legibleName(wanted.name)} may then ${roleWords[wanted.role]}.`}
          </p>
          {password.isAsked && <PasswordAgain words="Your password (it is asked for again after five minutes)" />}
          <div className="actions" style={{ justifyContent: 'start' }}>
            <button type="submit" className={wanted.role === undefined ? 'button danger' : 'button'}>
              {wanted.role === undefined ? `Remove ${legibleName(wanted.name)}` : 'Confirm'}
            </button>
            <button type="button" className="button plain" onClick={() => setWanted(undefined)}>
              Cancel
            </button>
          </div>
        </form>
      )}
      {others.length > 0 && <AddMember others={others} given={given} add={want} />}
      {me.admin && <p className="small quiet">Whoever has no account here is invited below, under “People”.</p>}
    </>
  )
}

function AddMember({
  others,
  given,
  add,
}: {
  others: readonly { account: string; name: string }[]
  given: readonly Role[]
  add: (change: Change) => void
}): ReactNode {
  const [role, setRole] = useState<Role>('operator')
  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault()
    const account = new FormData(event.currentTarget).get('account')
    const who = others.find((one) => one.account === account)
    if (who) add({ ...who, role })
  }
  return (
    <form className="stack" aria-label="Add a member" onSubmit={submit}>
      <div className="actions" style={{ justifyContent: 'start' }}>
        <select className="input" name="account" aria-label="Who is added" style={{ maxWidth: 220 }}>
          {others.map(({ account, name }) => (
            <option key={account} value={account}>
              {legibleName(name)}
            </option>
          ))}
        </select>
        <select
          className="input"
          aria-label="With which role"
          style={{ maxWidth: 140 }}
          value={role}
          onChange={(event) => setRole(given.find((one) => one === event.target.value) ?? role)}
        >
          {given.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
        <button type="submit" className="button">
          Add
        </button>
      </div>
      <p className="small quiet">They may then {roleWords[role]}.</p>
    </form>
  )
}
