import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { uploadFile } from '@hotline/client/files'
import { uuidV7 } from '@hotline/client/uuid'
import { httpRequest } from '@hotline/client/http-request'
import { startLiveServer } from '@hotline/testing/live-server'
import { openTempDir } from '@hotline/testing/temp-dir'
import { tempDirsIn } from '@hotline/testing/temp-dirs-in'
import { waitFor } from '@hotline/testing/wait-for'
import { describe, expect, test } from 'vitest'
import { httpFiles } from '../src/file-transfer.ts'
import { findWrapper } from '../src/process/namespace.ts'
import { openBench } from './bench.ts'
import { composeBench } from './compose.ts'
import { acts, fakeClaudeProfile } from './fake-claude-acts.ts'
import { openCodex } from './open-codex.ts'
import { profileOf } from './profile-of.ts'

// An agent behind a fence has a `/tmp` of its own: what it must not reach lies elsewhere.
tempDirsIn('/var/tmp')

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const picture = { content: new Blob([png]), type: 'image/png' }

/** Reads one line, shows the file whose path stands in it in quotes, and tries to change it. */
const reader = String.raw`
IFS= read -r line
path=$(printf '%s' "$line" | sed "s/^[^']*'//; s/'$//")
echo "path: $path"
echo "it says: $(cat "$path")"
if echo changed >> "$path"; then echo "out: changed"; else echo "in: not changed"; fi 2>/dev/null
echo done
`

const fences = (await findWrapper(process.env['PATH'], 'files')) !== undefined

describe('files of messages at their agent', () => {
  test.runIf(fences)(
    '[AT10] a program has the path typed, can read it from behind its fence, and not change it',
    async () => {
      const profile = { ...profileOf('reader', {}), adapter: 'pipe', argv: ['/bin/sh', '-c', reader] } as const
      await using bench = await openBench({ profiles: [{ ...profile, contain: 'files' }] })
      const { world, cwd, dataDir } = bench
      const session = world.start('reader', { cwd, unasked: true })
      await world.until(session, 'active', ({ status }) => status === 'active')
      const name = 'what I "meant", \u{1f4dd}.txt'
      const upload = await world.upload(session, name, { content: new Blob(['from a person']) })
      world.send(session, 'message.send', { text: 'look at', attachments: [{ digest: upload.digest, name }] })
      await world.until(session, 'the end', ({ status }) => status === 'completed')
      const printed = world.printed(session, 'stdout')
      expect(printed).toContain('it says: from a person')
      expect(printed).toContain('in: not changed')
      expect(printed).toMatch(/path: \/.*what I _meant_, \u{1f4dd}\.txt/u)
      // What came with its messages is of no more use.
      await waitFor(() => readdirSync(join(dataDir, 'files')).length === 0, { what: 'files are gone' })
    },
  )

  test('[AT11] an agent hears which files came, where they are and which are not there, also into a turn that runs', async () => {
    await using bench = await openBench()
    const { world, cwd } = bench
    const session = world.start('demo', {
      cwd,
      prompt: scriptPrompt([{ do: 'waitFile', path: 'go' }, { do: 'listen' }]),
    })
    await world.until(session, 'a turn', ({ turn }) => turn)
    const kept = await world.upload(session, 'plan.md', { content: new Blob(['# Plan']), type: 'text/markdown' })
    const gone = await world.upload(session, 'gone.txt', { content: new Blob(['gone']) })
    world.files.delete(gone.digest)
    const attachments = [kept, gone].map(({ digest, name }) => ({ digest, name }))
    world.send(session, 'message.send', { text: 'Do this.', attachments, now: true })
    await world.until(session, 'nothing that waits', ({ queue }) => queue.length === 0)
    await bench.touch('go')
    await world.until(session, 'the end of the turn', ({ turn }) => !turn)
    const said = world.said(session)
    const path = /- (\/\S+) \("plan.md", text\/markdown, 6 bytes\)/.exec(said)?.[1] ?? ''
    expect(readFileSync(path, 'utf8')).toBe('# Plan')
    expect(said).toContain('Heard while I worked: [Hotline] The person sends 2 files with this message:\n')
    expect(said).toContain('- not here: "gone.txt", application/octet-stream, 4 bytes. It is not there any more.\n')
    expect(said).toContain('\n\nDo this.')
  })

  test('[AT11] a message waits while its files cannot be fetched, and is told once when they can', async () => {
    await using bench = await openBench({ profiles: [profileOf('odd', { modes: ['ask'], pictures: true })] })
    const { world, cwd, link, logged } = bench
    const session = world.start('odd', { cwd })
    await world.until(session, 'active', ({ status }) => status === 'active')
    const { digest, name } = await world.upload(session, 'a.txt', { content: new Blob(['x']) })
    const content = world.files.get(digest)
    if (!content) throw new Error('no file')
    // The server breaks off in the middle of the file.
    world.files.set(digest, Object.assign(new Blob(['x']), { stream: broken }))
    world.send(session, 'message.send', { text: '', attachments: [{ digest, name }] })
    await waitFor(() => logged.some((line) => line.includes('message not handed over')), { what: 'a failed try' })
    expect(world.state(session).queue).toHaveLength(1)
    world.files.set(digest, content)
    link.cut()
    link.mend()
    await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn)
    expect(world.events(session, 'message.delivered')).toHaveLength(1)
    expect(world.said(session)).toContain('(\\"a.txt\\", application/octet-stream, 1 bytes)')
  })

  test('[AT11] what is not what was sent is not given to an agent', async () => {
    await using bench = await openBench({ profiles: [profileOf('odd', { modes: ['ask'], pictures: true })] })
    const { world, cwd, dataDir } = bench
    const session = world.start('odd', { cwd })
    await world.until(session, 'active', ({ status }) => status === 'active')
    const { digest, name } = await world.upload(session, 'a.txt', { content: new Blob(['good']) })
    world.files.set(digest, new Blob(['evil']))
    world.send(session, 'message.send', { text: '', attachments: [{ digest, name }] })
    await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn)
    expect(world.said(session)).toContain('What came is not what was sent.')
    const left = readdirSync(join(dataDir, 'files', session), { recursive: true, withFileTypes: true })
    expect(left.filter((entry) => entry.isFile())).toEqual([])
  })
})

describe('pictures', () => {
  test('[AT12] an agent of ACP that looks at pictures is shown them; others get the path', async () => {
    for (const pictures of [true, false]) {
      await using bench = await openBench({ profiles: [profileOf('odd', { modes: ['ask'], pictures })] })
      const { world, cwd } = bench
      const session = world.start('odd', { cwd })
      await world.until(session, 'active', ({ status }) => status === 'active')
      const { digest, name } = await world.upload(session, 'a.png', picture)
      world.send(session, 'message.send', { text: 'What is this?', attachments: [{ digest, name }] })
      await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn)
      if (!pictures) continue
      const prompt = JSON.parse(world.said(session)) as unknown
      const text = expect.stringMatching(/\/a\.png \("a\.png", image\/png, \d+ bytes\)\n\nWhat is this\?$/) as string
      expect(prompt).toEqual([
        { type: 'text', text },
        { type: 'image', mimeType: 'image/png', data: png.toString('base64') },
      ])
    }
  })

  test('[AT13] a picture that an agent of ACP says is a message of its own, between its words', async () => {
    const say = (content: object): string =>
      JSON.stringify({
        jsonrpc: '2.0',
        method: 'session/update',
        params: { sessionId: '$SESSION', update: { sessionUpdate: 'agent_message_chunk', content } },
      })
    const data = png.toString('base64')
    const odd = {
      modes: ['ask'],
      say: [
        say({ type: 'text', text: 'Look: ' }),
        say({ type: 'image', mimeType: 'image/png', data }),
        say({ type: 'text', text: 'That was it.' }),
        say({ type: 'image', mimeType: 'image/png' }),
      ],
    }
    await using bench = await openBench({ profiles: [profileOf('odd', odd)] })
    const { world, cwd } = bench
    const session = world.start('odd', { cwd, prompt: 'go' })
    await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn)
    const completed = () => world.events(session, 'message.completed').map(({ body }) => body)
    await waitFor(() => completed().length === 3, { what: 'three messages' })
    const shown = completed().filter((body) => body?.attachments)
    expect(shown).toMatchObject([{ text: '', attachments: [{ name: 'picture.png', bytes: png.length }] }])
    const [{ digest } = { digest: '' }] = shown[0]?.attachments ?? []
    const bytes = (await world.files.get(digest)?.arrayBuffer()) ?? new ArrayBuffer(0)
    expect(Buffer.from(bytes).equals(png)).toBe(true)
    // What is no picture is named, as ever.
    expect(
      completed()
        .flatMap((body) => body?.text ?? [])
        .join(''),
    ).toContain('That was it.[image]')
  })

  test('[AT12] Claude Code is shown pictures', async () => {
    await using bench = await openBench({ profiles: [fakeClaudeProfile({})] })
    const { world, cwd } = bench
    const session = world.start('fake', { cwd })
    await world.until(session, 'active', ({ status }) => status === 'active')
    const { digest, name } = await world.upload(session, 'a.png', picture)
    world.send(session, 'message.send', { text: acts(), attachments: [{ digest, name }] })
    await waitFor(() => existsSync(join(cwd, 'prompt.json')), { what: 'the prompt' })
    const source = { type: 'base64', media_type: 'image/png', data: png.toString('base64') }
    const words = { type: 'text', text: expect.stringContaining('/a.png (') as string }
    await waitFor(() => readFileSync(join(cwd, 'prompt.json'), 'utf8').endsWith(']'), { what: 'all of it' })
    expect(JSON.parse(readFileSync(join(cwd, 'prompt.json'), 'utf8'))).toEqual([{ type: 'image', source }, words])
  })

  test('[AT12] also those that are said into a turn that runs', async () => {
    await using bench = await openBench({ profiles: [fakeClaudeProfile({})] })
    const { world, cwd } = bench
    const session = world.start('fake', { cwd, prompt: acts({ do: 'listen' }) })
    await world.until(session, 'a turn', ({ turn }) => turn)
    const { digest, name } = await world.upload(session, 'a.png', picture)
    world.send(session, 'message.send', { text: 'And this?', attachments: [{ digest, name }], now: true })
    await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn)
    const told = JSON.parse(readFileSync(join(cwd, 'prompt.json'), 'utf8')) as { type: string; text?: string }[]
    expect(told.map(({ type }) => type)).toEqual(['image', 'text'])
    expect(world.said(session)).toContain('heard: [Hotline] The person sends a file with this message:')
  })

  test('[AT12] Codex is told where pictures are', async () => {
    await using codex = await openCodex()
    const { world, session, bench } = codex
    await codex.until('active')
    const { digest, name } = await world.upload(session, 'a.png', picture)
    world.send(session, 'message.send', { text: 'look', attachments: [{ digest, name }] })
    await codex.turns(1)
    const path = expect.stringMatching(/^\/.*\/a\.png$/) as string
    expect(JSON.parse(readFileSync(join(bench.cwd, 'prompt.json'), 'utf8'))).toMatchObject([
      { type: 'text' },
      { type: 'localImage', path },
    ])
  })
})

test('[AT10] a file goes from a person over a real server to the agent as it is', async () => {
  await using live = await startLiveServer()
  await using temp = await openTempDir('hotline-files-')
  const key = { kind: 'token', token: readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim() } as const
  const supervisor = composeBench({
    folder: temp.path,
    link: live.link({ credential: key, client: 'runner' }),
    transfer: httpFiles(live.url, key),
    write: () => undefined,
    profiles: [
      { ...profileOf('reader', {}), adapter: 'pipe', argv: ['/bin/sh', '-c', 'read -r path; sha256sum "$path"'] },
    ],
  })
  await supervisor.start()
  await supervisor.announced
  try {
    const credential = { kind: 'token', token: live.token } as const
    const session = uuidV7()
    const send = (type: string, data: unknown): Promise<unknown> =>
      httpRequest(live.url, credential, 'POST', '/api/commands', {
        id: uuidV7(),
        stream: `session:${session}`,
        type,
        data,
      })
    await send('session.start', { project: 'default', cwd: temp.path, agent: 'reader', unasked: true })
    const content = new Blob([Buffer.alloc(3_000_000, 'abcdefg')])
    const at = { url: live.url, credential }
    const kept = await uploadFile(at, session, { name: 'large.bin', content }, AbortSignal.timeout(30_000))
    if (!kept.ok) throw new Error(kept.problem.detail)
    const { digest, name } = kept.value
    expect(await send('message.send', { text: '', attachments: [{ digest, name }] })).toMatchObject({ ok: true })
    const printed = async (): Promise<string> =>
      (await live.stored(session))
        .flatMap(({ type, body }) => (type === 'output.appended' ? [body?.['text']] : []))
        .join('')
    await waitFor(async () => (await printed()).includes('large.bin'), { what: 'what the program printed' })
    const hash = createHash('sha256')
      .update(Buffer.from(await content.arrayBuffer()))
      .digest('hex')
    expect(await printed()).toContain(hash)
    expect(hash).toBe(digest)
  } finally {
    await supervisor.stop(AbortSignal.timeout(5_000))
  }
})

/** Ends before its end. */
function broken(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start: (controller) => controller.error(new Error('The connection was lost.')),
  })
}
