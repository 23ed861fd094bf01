import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { channelContract, sampleCard } from '@hotline/testing/channel-contract'
import { openFakeChannel } from '@hotline/testing/fake-channel'
import { handClock } from '@hotline/testing/hand-clock'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { startWebhookReceiver } from '@hotline/testing/webhook-receiver'
import { describe, expect, it } from 'vitest'
import { readChannels } from '../../src/channels/read-channels.ts'
import { openWebhook } from '../../src/channels/webhook/webhook.ts'
import { systemClock } from '../../src/machine/clock.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const other = `whsec_${Buffer.alloc(32, 9).toString('base64')}`
const never = new AbortController().signal

channelContract('fake', async () => {
  const channel = openFakeChannel()
  return {
    channel,
    told: channel.told,
    feels: (mood) => {
      channel.mood = mood
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
})

channelContract('webhook', async () => {
  const receiver = await startWebhookReceiver(secret)
  return {
    channel: openWebhook({ name: 'ops', url: receiver.url, secrets: [secret] }, systemClock),
    get told() {
      return receiver.told.map(({ headers: _headers, body: _body, ...told }) => told)
    },
    feels: (mood) => {
      receiver.mood = mood
    },
    [Symbol.asyncDispose]: () => receiver[Symbol.asyncDispose](),
  }
})

describe('a webhook', () => {
  it('[DV2] is signed with each of its secrets, over id, time and body', async () => {
    await using receiver = await startWebhookReceiver(secret)
    const open = (secrets: readonly string[]) => openWebhook({ name: 'ops', url: receiver.url, secrets }, systemClock)
    expect(await open([other]).deliver(sampleCard(), never)).toMatchObject({
      failed: 'for good',
      why: 'it answered 401',
    })
    expect(await open([other, secret]).deliver(sampleCard(), never)).toBe('taken')
    const [told] = receiver.told
    expect(told?.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': sampleCard().key })
    expect(told?.body).toMatchObject({ type: 'permission-request', data: sampleCard().request })
  })

  it('[DV2] follows no redirect, and waits as long as it is asked to, but not for ever', async () => {
    await using elsewhere = await startWebhookReceiver(secret)
    await using receiver = await startWebhookReceiver(secret)
    const channel = openWebhook({ name: 'ops', url: receiver.url, secrets: [secret] }, systemClock)
    for (const status of [301, 302, 303, 307, 308]) {
      receiver.answer = { status, headers: { location: elsewhere.url } }
      expect(await channel.deliver(sampleCard(), never)).toMatchObject({ failed: 'for good' })
    }
    expect(elsewhere.tries).toBe(0)
    for (const status of [408, 425, 429, 500, 502, 503, 504]) {
      receiver.answer = { status, headers: { 'retry-after': '7' } }
      expect(await channel.deliver(sampleCard(), never)).toMatchObject({ failed: 'for now', retryAfterMs: 7_000 })
    }
    receiver.answer = { status: 503, headers: { 'retry-after': '999999' } }
    expect(await channel.deliver(sampleCard(), never)).toMatchObject({ retryAfterMs: 3_600_000 })
    receiver.answer = { status: 200, body: 'x'.repeat(5_000_000) }
    expect(await channel.deliver(sampleCard(), never)).toBe('taken')
  })

  it('[DV2] a receiver that is not there, or never answers, is a failure for now', async () => {
    const receiver = await startWebhookReceiver(secret)
    const clock = handClock()
    const channel = openWebhook({ name: 'ops', url: receiver.url, secrets: [secret] }, clock)
    receiver.answer = undefined
    receiver.mood = 'is silent'
    const delivering = channel.deliver(sampleCard(), never)
    await waitFor(() => receiver.tries === 1, { what: 'the request' })
    clock.advance(10_000)
    expect(await delivering).toEqual({ failed: 'for now', why: 'it did not answer in time' })
    await receiver[Symbol.asyncDispose]()
    expect(await channel.deliver(sampleCard(), never)).toEqual({ failed: 'for now', why: 'ECONNREFUSED' })
  })
})

describe('the settings of channels', () => {
  const one = { kind: 'webhook', name: 'ops', url: 'https://hooks.example.org/x', secrets: [secret] }

  it('[DV3] are a private file of the admin; there need be none', async () => {
    const dir = await openTempDir('hotline-channels-')
    const path = join(dir.path, 'channels.json')
    expect(readChannels(path)).toEqual([])
    writeFileSync(path, JSON.stringify({ channels: [one] }), { mode: 0o600 })
    expect(readChannels(path)).toEqual([one])
    chmodSync(path, 0o644)
    expect(() => readChannels(path)).toThrow('chmod 600')
    await dir.remove()
  })

  it.each<[why: string, text: string]>([
    ['it is not JSON', '{'],
    ['channels.0.url', JSON.stringify({ channels: [{ ...one, url: 'http://hooks.example.org/x' }] })],
    ['channels.0.url', JSON.stringify({ channels: [{ ...one, url: 'http://169.254.169.254/' }] })],
    ['channels.0.url', JSON.stringify({ channels: [{ ...one, url: 'https://dana:secret@hooks.example.org/' }] })],
    ['channels.0.url', JSON.stringify({ channels: [{ ...one, url: 'file:///etc/passwd' }] })],
    ['channels.0.url', JSON.stringify({ channels: [{ ...one, url: 'hooks' }] })],
    ['channels.0.secrets', JSON.stringify({ channels: [{ ...one, secrets: [] }] })],
    ['channels.0.secrets.0', JSON.stringify({ channels: [{ ...one, secrets: ['whsec_short'] }] })],
    ['channels.0.name', JSON.stringify({ channels: [{ ...one, name: '../x' }] })],
    ['channels.0.kind', JSON.stringify({ channels: [{ ...one, kind: 'pigeon' }] })],
    ['called "ops"', JSON.stringify({ channels: [one, one] })],
    ['colour', JSON.stringify({ channels: [], colour: 'red' })],
  ])('[DV3] say what is wrong with them: %s', async (why, text) => {
    const dir = await openTempDir('hotline-channels-')
    const path = join(dir.path, 'channels.json')
    writeFileSync(path, text, { mode: 0o600 })
    expect(() => readChannels(path)).toThrow(why)
    await dir.remove()
  })

  it('[DV3] lead to this machine without encryption, and nowhere else', async () => {
    const dir = await openTempDir('hotline-channels-')
    const path = join(dir.path, 'channels.json')
    for (const url of ['http://localhost:1/', 'http://127.0.0.1:1/', 'http://[::1]:1/']) {
      writeFileSync(path, JSON.stringify({ channels: [{ ...one, url }] }), { mode: 0o600 })
      expect(readChannels(path)).toMatchObject([{ url }])
    }
    await dir.remove()
  })
})
