import { roles } from '@hotline/protocol/actor'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Callers, openCallers } from './callers.ts'

let callers: Callers
beforeAll(async () => {
  callers = await openCallers()
})
afterAll(() => callers[Symbol.asyncDispose]())

const of = async (who: string, project = 'default') => {
  const { status, body } = await callers.call('GET', `/api/projects/${project}/members`, callers.who[who] ?? {})
  return { status, members: (body.members ?? []) as { account: string; name: string; role: string }[] }
}

describe('who is in a project', () => {
  it('[ME1] every member reads who is in it, and what each may do there; nobody else does', async () => {
    const { status, members } = await of('viewer in a browser')
    expect(status).toBe(200)
    const others = roles.filter((role) => role !== 'owner').toSorted()
    expect(members.map(({ name, role }) => `${name}: ${role}`).toSorted()).toEqual(
      ['dana: owner', ...others.map((role) => `${role}: ${role}`)].toSorted(),
    )
    expect(members.find(({ name }) => name === 'viewer')?.account).toBe(callers.accounts['viewer'])
    expect(await of('viewer in a browser', 'elsewhere')).toEqual({ status: 404, members: [] })
    expect(await of('viewer in a browser', 'nowhere')).toEqual({ status: 404, members: [] })
  })

  it('[ME1] it says what is so now', async () => {
    const { owner, accounts } = callers
    await callers.command(owner, 'project:default', 'member.change', { account: accounts['operator'], role: 'viewer' })
    expect((await of('admin in a browser')).members.find(({ name }) => name === 'operator')?.role).toBe('viewer')
    await callers.command(owner, 'project:default', 'member.remove', { account: accounts['operator'] })
    expect((await of('admin in a browser')).members.map(({ name }) => name)).not.toContain('operator')
    expect((await of('operator in a browser')).status).toBe(404)
  })
  it('[ME2] nobody becomes a member who has no account, in whatever role', async () => {
    const { owner } = callers
    const before = (await of('admin in a browser')).members
    for (const [account, role] of [
      ['nobody', 'owner'],
      ['0190a1b2-0000-7000-8000-000000000000', 'viewer'],
      ['system', 'admin'],
    ] as const) {
      const command = { id: `add-${account}`, stream: 'project:default', type: 'member.add', data: { account, role } }
      const { status, body } = await callers.call('POST', '/api/commands', owner, command)
      expect({ status, body }).toMatchObject({
        status: 404,
        body: { code: 'not_found', detail: expect.stringContaining('no account') as string },
      })
    }
    expect((await of('admin in a browser')).members).toEqual(before)
  })
})
