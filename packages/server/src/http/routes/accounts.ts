import type { Role } from '@hotline/protocol/actor'
import { AccountPage, AccountRow, CreateAccountBody, DisableAccountBody, Me, PeoplePage } from '@hotline/protocol/http'
import { Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import type { PublicAccount } from '../../access/new-accounts.ts'
import type { Access } from '../../access/open-access.ts'
import type { Principal } from '../../access/principal.ts'
import type { Lists } from '../../log/lists.ts'
import type { RegisterRoute } from '../route.ts'

const OfAccount = z.strictObject({ account: Id })

/** Who I am, who the others are, and the accounts of this server. */
export function registerAccountRoutes(route: RegisterRoute, access: Access, lists: Lists): void {
  route({
    method: 'GET',
    url: '/api/me',
    summary: 'Who I am, what I may do, and in which projects',
    permission: 'signed-in',
    revalidate: 'etag',
    answer: Me,
    handle: async ({ principal }) => {
      const { kind, id, name, admin, scopes } = principal
      return { value: { kind, id, name, admin, scopes, projects: await projectsOf(principal, lists) } }
    },
  })

  route({
    method: 'GET',
    url: '/api/people',
    summary: 'Names for ids: everybody who shares a project with me',
    permission: 'read',
    revalidate: 'etag',
    answer: PeoplePage,
    handle: async ({ principal }) => ({ value: { people: await peopleOf(principal, lists) } }),
  })

  route({
    method: 'GET',
    url: '/api/accounts',
    summary: 'The accounts of this server',
    permission: 'account-admin',
    revalidate: 'etag',
    answer: AccountPage,
    handle: async () => ({ value: { accounts: (await lists.accounts()).map(accountRow) } }),
  })

  route({
    method: 'POST',
    url: '/api/accounts',
    summary: 'Make an account for another person',
    permission: 'account-admin',
    status: 201,
    refuses: ['weak_password', 'already_exists', 'idempotency_mismatch'],
    example: { name: 'kim', password: 'a long walk in the rain' },
    proof: 'password',
    answer: AccountRow,
    body: CreateAccountBody,
    once: 'idempotency-key',
    handle: async ({ principal, body, idempotencyKey }) => {
      const made = await access.newAccounts.create(principal, body, idempotencyKey)
      return 'code' in made ? { problem: made } : { value: accountRow(made) }
    },
  })

  route({
    method: 'POST',
    url: '/api/accounts/:account/disable',
    summary: 'Shut an account out, with all its keys and sessions',
    permission: 'account-admin',
    refuses: ['last_owner'],
    example: { orphans: 'refuse' },
    proof: 'password',
    answer: AccountRow,
    params: OfAccount,
    body: DisableAccountBody,
    handle: async ({ principal, params, body }) => {
      const row = await access.accountSwitch.disable(principal, params.account, body.orphans)
      return 'code' in row ? { problem: row } : { value: accountRow(row) }
    },
  })

  route({
    method: 'POST',
    url: '/api/accounts/:account/enable',
    summary: 'Let an account in again',
    permission: 'account-admin',
    proof: 'password',
    answer: AccountRow,
    params: OfAccount,
    handle: async ({ principal, params }) => {
      const row = await access.accountSwitch.enable(principal, params.account)
      return 'code' in row ? { problem: row } : { value: accountRow(row) }
    },
  })
}

/** Projects of a principal with its role there; what its credential is not limited to, it does not see. */
export async function projectsOf(
  principal: Principal,
  lists: Lists,
): Promise<readonly { project: string; name: string; role: Role }[]> {
  if (principal.account === undefined) return []
  const mine = await lists.projectsOf(principal.account)
  return mine.filter(({ project }) => principal.projects === undefined || principal.projects.includes(project))
}

interface Person {
  id: string
  name: string
  kind: 'person' | 'service'
}

/** Names of everybody who shares a project with the asker, and of their services; for a runner, of all its projects. */
async function peopleOf(principal: Principal, lists: Lists): Promise<readonly Person[]> {
  const projects =
    principal.kind === 'runner'
      ? (await lists.projects()).filter(({ project }) => principal.projects?.includes(project) ?? true)
      : await projectsOf(principal, lists)
  const people = new Map<string, Person>()
  for (const { project } of projects) {
    for (const { account, name } of await lists.members(project))
      people.set(account, { id: account, name, kind: 'person' })
  }
  if (principal.account !== undefined && principal.kind === 'person') {
    people.set(principal.id, { id: principal.id, name: principal.name, kind: 'person' })
  }
  const services: Person[] = []
  for (const account of people.keys()) {
    for (const { kind, key, name } of await lists.keysOf(account)) {
      if (kind === 'svc') services.push({ id: key, name, kind: 'service' })
    }
  }
  return [...people.values(), ...services]
}

function accountRow(row: PublicAccount): AccountRow {
  return {
    account: row.account,
    name: row.name,
    admin: row.admin !== 0,
    disabled: row.disabled !== 0,
    createdAt: row.created_at,
  }
}
