import { handClock } from '@hotline/testing/hand-clock'
import { expect, test } from 'vitest'
import { Tickets } from '../../src/access/tickets.ts'
import { systemIds } from '../../src/machine/ids.ts'

const origin = 'http://localhost:4680'

function open(): { tickets: Tickets; clock: ReturnType<typeof handClock>; issue: (key?: string) => string } {
  const clock = handClock()
  const tickets = new Tickets(
    clock,
    systemIds(() => clock.wallMs()),
  )
  const issue = (key = 'k1'): string => {
    const issued = tickets.issue(key, origin)
    if (!issued) throw new Error('no ticket')
    return issued.ticket
  }
  return { tickets, clock, issue }
}

test('[W01] a ticket is good for less than 30 seconds', () => {
  const { tickets, clock, issue } = open()
  const [early, late] = [issue(), issue()]
  clock.advance(29_000)
  expect(tickets.redeem(early, origin)).toBe('k1')
  clock.advance(1_000)
  expect(tickets.redeem(late, origin)).toBeUndefined()
})

test('[W01] a ticket is good once, for its origin alone, and stands for its own key', () => {
  const { tickets, issue } = open()
  const [used, elsewhere, nowhere, other] = [issue(), issue(), issue(), issue('k2')]
  expect(tickets.redeem(used, origin)).toBe('k1')
  expect(tickets.redeem(used, origin)).toBeUndefined()
  expect(tickets.redeem(elsewhere, 'http://evil.example')).toBeUndefined()
  expect(tickets.redeem(elsewhere, origin)).toBeUndefined()
  expect(tickets.redeem(nowhere, undefined)).toBeUndefined()
  expect(tickets.redeem(other, origin)).toBe('k2')
  for (const text of ['', 'x', used.slice(0, -1), `${used}0`]) expect(tickets.redeem(text, origin)).toBeUndefined()
})

test('[W01] nobody piles up tickets, and old ones make room', () => {
  const { tickets, clock, issue } = open()
  for (let at = 0; at < 50; at += 1) issue()
  expect(tickets.issue('k1', origin)).toBeUndefined()
  expect(issue('k2')).toContain('hl_wst_')
  clock.advance(30_000)
  expect(issue()).toContain('hl_wst_')
})
