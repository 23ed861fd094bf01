import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { uuidV7 } from '@hotline/client/uuid'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyLog } from '../../src/audit/verify-log.ts'
import { openToProve } from '../../src/log/open-to-prove.ts'
import { proveLog } from '../../src/ops/prove-log.ts'
import { type Answered, type Callers, openCallers, type Who } from './callers.ts'

let callers: Callers
let owner: Who
beforeAll(async () => {
  callers = await openCallers()
  owner = callers.owner
})
afterAll(() => callers[Symbol.asyncDispose]())

async function talk(task: string, word: string): Promise<HandRunner> {
  const hand = await callers.server.startSession(`About the ${word}`, { task })
  await callers.command(owner, hand.stream, 'message.send', { text: `Where is the ${word}?` })
  const text = `The ${word} is here.`
  await hand.report({ type: 'message.completed', data: { message: uuidV7(), chars: text.length }, body: { text } })
  return hand
}

async function card(): Promise<string> {
  const task = uuidV7()
  await callers.command(owner, `task:${task}`, 'task.create', { project: 'default', title: 'Talked about' })
  return task
}

async function end(hand: HandRunner): Promise<void> {
  await callers.command(owner, hand.stream, 'session.complete', {})
  const data = { from: 'active', to: 'completed', reason: 'goal_reached' }
  await hand.report({ type: 'session.state_changed', data, body: {} })
}

const path = (task: string, project = 'default'): string => `/api/projects/${project}/tasks/${task}/interactions`
const erase = (task: string, who: Who = owner): Promise<Answered> => callers.call('DELETE', path(task), who)
const said = async (task: string): Promise<number> =>
  (await callers.call('GET', path(task), owner)).body.interactions.length as number
const found = async (word: string): Promise<number> =>
  (await callers.call('GET', `/api/search?q=${word}`, owner)).body.hits.length as number

/** Files of the data folder that hold a text. */
function holding(text: string, dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((file) => statSync(file).isFile() && readFileSync(file).includes(text))
}

describe('deleting the conversation of a task', () => {
  it('[TK6] [SE11] it is gone from what is read, from the search and from every file; its sessions and their chains stay', async () => {
    const task = await card()
    const hands = [await talk(task, 'kumquat'), await talk(task, 'kumquat')]
    await waitFor(async () => (await found('kumquat')) === 6 || undefined, { what: 'all to be found' })
    expect(await said(task)).toBe(4)
    for (const hand of hands) await end(hand)
    expect(await erase(task)).toMatchObject({ status: 204 })
    expect(await said(task)).toBe(0)
    await waitFor(async () => (await found('kumquat')) === 0 || undefined, { what: 'nothing to be found' })
    const { body } = await callers.call('GET', `/api/tasks/${task}`, owner)
    expect(body.task).toMatchObject({ title: 'Talked about', sessions: [{}, {}] })
    for (const { session } of hands) {
      const stored = await callers.server.stored(session)
      expect(JSON.stringify(stored)).not.toContain('kumquat')
      expect(stored.at(-1)).toMatchObject({ type: 'content.erased', actor: { id: callers.accounts['owner'] } })
    }
    const audit = await callers.call('GET', `/api/audit?project=default&type=content.erased`, owner)
    expect(audit.body.entries).toHaveLength(2)
    await waitFor(() => holding('kumquat', callers.server.dataDir).length === 0 || undefined, {
      what: 'no file to hold it',
    })
    const log = await openToProve({ kind: 'sqlite', dir: callers.server.dataDir })
    // As `hotline doctor` and `hotline audit prove` look at it.
    expect((await proveLog(log)).faults).toEqual([])
    expect((await verifyLog(log, 'all')).faults).toEqual([])
    await log[Symbol.asyncDispose]()
  })

  it('[TK7] while one session is not over nothing goes; deleted twice is deleted once', async () => {
    const task = await card()
    const over = await talk(task, 'medlar')
    const atWork = await talk(task, 'medlar')
    await end(over)
    const refused = await erase(task)
    expect(refused).toMatchObject({ status: 409, body: { code: 'invalid_transition' } })
    expect(refused.body.detail).toContain('End it first')
    // Of the one that is over the agent's alone: what a session never got is taken back when it ends.
    expect(await said(task)).toBe(3)
    await end(atWork)
    expect((await erase(task)).status).toBe(204)
    const { length } = await callers.server.stored(over.session)
    expect((await erase(task)).status).toBe(204)
    expect(await callers.server.stored(over.session)).toHaveLength(length)
    expect((await erase(await card())).status).toBe(204)
  })

  it('[TK8] it takes an admin who has just said the password, and a task of that project', async () => {
    const task = await card()
    await end(await talk(task, 'rowan'))
    for (const [name, status, code] of [
      ['viewer in a browser', 403, 'forbidden'],
      ['approver in a browser', 403, 'forbidden'],
      ['stranger in a browser', 404, 'not_found'],
      ['service of admin', 403, 'forbidden'],
      ['owner by token', 401, 'password_needed'],
      ['owner with scope write', 403, 'forbidden'],
    ] as const) {
      expect([name, await erase(task, callers.who[name])]).toMatchObject([name, { status, body: { code } }])
    }
    expect((await callers.call('DELETE', path(task, 'elsewhere'), owner)).status).toBe(404)
    expect((await erase('none')).status).toBe(404)
    expect(await said(task)).toBe(1)
    expect((await erase(task, callers.who['admin in a browser'])).status).toBe(204)
    expect(await said(task)).toBe(0)
  })

  it('[TK11] what is taken away afterwards says that it was erased', async () => {
    const task = await card()
    const hand = await talk(task, 'sorrel')
    await end(hand)
    await erase(task)
    for (const format of ['markdown', 'json']) {
      const url = `/api/sessions/${hand.session}/export${format === 'json' ? '?format=json' : ''}`
      const { status, body } = await callers.call('GET', url, owner)
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      expect([format, status]).toEqual([format, 200])
      expect(text).not.toContain('sorrel')
      expect(text).toContain(format === 'json' ? 'content.erased' : 'erased')
    }
  })
})
