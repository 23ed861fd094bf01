import { waitFor } from '@hotline/testing/wait-for'
import { handClock } from '@hotline/testing/hand-clock'
import { expect, it } from 'vitest'
import { AccessLog } from '../../src/access/access-log.ts'
import { AccountSwitch } from '../../src/access/account-switch.ts'
import { Authenticator } from '../../src/access/authenticator.ts'
import { Owners } from '../../src/access/owners.ts'
import type { Lists } from '../../src/log/lists.ts'
import { systemClock } from '../../src/machine/clock.ts'
import { type HttpStack, openHttpStack } from '../http/http-stack.ts'

/** The real lists; one kind of look-up ends only when a test says so, as over a slow network. */
function held(
  lists: Lists,
  name: 'accounts' | 'key',
): { lists: Lists; reads: () => number; reached: Promise<void>; goOn: () => void } {
  const reached = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  let reads = 0
  const read = lists[name] as (...given: unknown[]) => Promise<unknown>
  const slow = async (...given: unknown[]): Promise<unknown> => {
    reads += 1
    const answer = await read.apply(lists, given)
    reached.resolve()
    await goOn.promise
    return answer
  }
  return { lists: { ...lists, [name]: slow }, reads: () => reads, reached: reached.promise, goOn: goOn.resolve }
}

async function accountOf(stack: HttpStack, name: string): Promise<string> {
  const found = (await stack.lists.accounts()).find((row) => row.name === name)
  if (!found) throw new Error(`no ${name}`)
  return found.account
}

it('[T12] of two admins who turn each other off while both are looked up, one stays', async () => {
  await using stack = await openHttpStack()
  const cookie = await stack.claim()
  const body = { name: 'boss', password: 'two green lanterns on the quay', admin: true }
  expect((await stack.call('POST', '/api/accounts', { cookie, body })).status).toBe(201)
  const [dana, boss] = [await accountOf(stack, 'dana'), await accountOf(stack, 'boss')]
  const { lists, reached, goOn } = held(stack.lists, 'accounts')
  const log = new AccessLog({ store: stack.store, bus: stack.bus, clock: systemClock })
  const accountSwitch = new AccountSwitch({ lists, log, clock: systemClock, owners: new Owners(lists) })
  const by = await stack.access.authenticator.byKey((await stack.lists.keysOf(dana))[0]?.key ?? '')
  if ('code' in by) throw new Error(by.detail)
  const both = [accountSwitch.disable(by, boss, 'accept'), accountSwitch.disable(by, dana, 'accept')]
  await reached
  goOn()
  expect(await Promise.all(both)).toMatchObject([{ account: boss, disabled: 1 }, { code: 'last_owner' }])
  expect((await stack.lists.accounts()).filter(({ disabled }) => disabled === 0)).toHaveLength(1)
})

it('[T12] a key that is revoked while its row is read is not believed afterwards', async () => {
  await using stack = await openHttpStack()
  const cookie = await stack.claim()
  const made = await stack.call('POST', '/api/keys', { cookie, body: { kind: 'pat', name: 'x' } })
  const { lists, reached, goOn } = held(stack.lists, 'key')
  const { feed, tickets, serviceTokens } = stack.access
  const faults: unknown[] = []
  using authenticator = new Authenticator({
    lists,
    clock: systemClock,
    tickets,
    serviceTokens,
    feed,
    fault: (error) => faults.push(error),
  })
  const show = (): ReturnType<Authenticator['authenticate']> =>
    authenticator.authenticate({ door: 'header', token: made.body.token as string }, '127.0.0.1')
  const first = show()
  await reached
  expect((await stack.call('DELETE', `/api/keys/${made.body.key}`, { cookie })).status).toBe(204)
  goOn()
  // What was read in time is answered, once.
  expect(await first).toMatchObject({ kind: 'person' })
  expect(await show()).toMatchObject({ code: 'unauthenticated' })
  expect(faults).toEqual([])
})

it('commands that come while the use of their key is being noted do not read it again', async () => {
  await using stack = await openHttpStack()
  const cookie = await stack.claim()
  const made = await stack.call('POST', '/api/keys', { cookie, body: { kind: 'pat', name: 'x' } })
  const key = made.body.key as string
  const { lists, reads, reached, goOn } = held(stack.lists, 'key')
  const { feed, tickets, serviceTokens, authenticator: known } = stack.access
  const clock = handClock()
  const faults: unknown[] = []
  using authenticator = new Authenticator({
    lists,
    clock,
    tickets,
    serviceTokens,
    feed,
    fault: (error) => faults.push(error),
  })
  const principal = await known.byKey(key)
  if ('code' in principal) throw new Error(principal.detail)
  for (let at = 0; at < 100; at += 1) authenticator.used(principal)
  await reached
  expect(reads()).toBe(1)
  goOn()
  const usedAt = async (): Promise<string | null | undefined> => (await stack.lists.key(key))?.last_used_at
  const first = await waitFor(usedAt, { what: 'the use of the key in its row' })
  clock.advance(60_000)
  authenticator.used(principal)
  expect(reads()).toBe(2)
  await waitFor(async () => (await usedAt()) !== first, { what: 'its next use in its row' })
  expect(faults).toEqual([])
})
