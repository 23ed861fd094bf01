import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exitCodes } from '@hotline/protocol/error'
import { listProcesses } from '@hotline/testing/process-list'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HotlineTerminal, startHotlineTerminal } from './hotline-terminal.ts'
import { openRunnerScene, type RunnerScene } from './runner-scene.ts'

const chord = '\u001d'

let scene: RunnerScene
beforeAll(async () => {
  scene = await openRunnerScene()
})
afterAll(async () => {
  await scene[Symbol.asyncDispose]()
})

/** A program that paints: what it was typed, key by key, and the size of its terminal. It ends with `Q`. */
const painter = String.raw`
import { stdin, stdout } from 'node:process'
stdin.setRawMode(true)
let typed = ''
const paint = () => stdout.write('\x1b[H\x1b[2J\x1b[31mpainted\x1b[0m ' + stdout.columns + 'x' + stdout.rows + '\x1b[5;3Htyped ' + JSON.stringify(typed))
stdout.write('\x1b[?1049h\x1b[?2004h\x1b[6n')
stdout.on('resize', paint)
stdin.on('data', (bytes) => {
  typed += bytes
  if (typed.endsWith('Q')) { stdout.write('\x1b[?1049lfarewell\n'); process.exit(0) }
  paint()
})
paint()`

async function startPainter(): Promise<string> {
  const { out } = await scene.run(
    'run',
    '--detach',
    '--cwd',
    scene.dir.path,
    '--',
    process.execPath,
    '--input-type=module',
    '-e',
    painter,
  )
  return out.trim()
}

/** Who has the keyboard, as the log says it last. */
const keyboardOf = async (session: string): Promise<string | undefined> =>
  (await scene.live.stored(session)).findLast(({ type }) => /^terminal\.(taken|released)$/.test(type))?.type

/** In a shell that compares the settings of the terminal before and after. */
const inShell = (args: readonly string[]): HotlineTerminal =>
  startHotlineTerminal(args, scene.env, (command) => [
    'bash',
    '-c',
    'trap : INT TERM; before=$(stty -g); "$@"; echo "ended $?"; [ "$(stty -g)" = "$before" ] && echo as-before || stty -a',
    'bash',
    ...command,
  ])

describe('the screen of a program in a terminal', () => {
  it('[B81] keys reach the program, its screen is shown with the size of this terminal, and the chord leaves', async () => {
    const session = await startPainter()
    const terminal = inShell(['attach', '--keys', session])
    await terminal.shows('Ctrl-] q leaves')
    await terminal.pictures('painted 200x23')
    await terminal.pictures('You have the keyboard')
    terminal.type('a\u001b[A\u0003')
    await terminal.pictures(String.raw`a\u001b[A\u0003"`)
    // Pressed twice, the chord is a key as others; in what is pasted it is none.
    terminal.type(`${chord}${chord}`)
    await terminal.pictures(String.raw`\u0003\u001d"`)
    terminal.type(`\u001b[200~${chord}q\u001b[201~`)
    await terminal.pictures(String.raw`[200~\u001dq\u001b[201~"`)
    terminal.resize(90, 12)
    await terminal.pictures('painted 90x11')
    terminal.type(`${chord}q`)
    await terminal.shows('It goes on. Come back with: hotline attach --keys')
    await terminal.shows('ended 0')
    await terminal.shows('as-before')
    await terminal.ended
    expect(terminal.lines().join('\n')).not.toContain('painted')
    expect(await keyboardOf(session)).toBe('terminal.released')
    expect((await scene.run('abort', session)).code).toBe(0)
  })

  it('[B81] while the server is away keys go nowhere, which is said; when it is back, it goes on', async () => {
    const { live, env } = scene
    const session = await startPainter()
    const terminal = startHotlineTerminal(['attach', '--keys', session], { ...env, HOTLINE_URL: live.proxyUrl })
    await terminal.pictures('You have the keyboard')
    terminal.type('a')
    await terminal.pictures('a"')
    live.proxy.refuse()
    live.proxy.cut()
    await terminal.pictures('Out of contact: keys go nowhere')
    terminal.type('b')
    await terminal.pictures('Nothing was typed')
    live.proxy.restore()
    await waitFor(() => !terminal.lines().some((line) => line.includes('Out of contact')), { what: 'contact' })
    terminal.type('c')
    await terminal.pictures('ac"')
    terminal.type(`${chord}q`)
    expect(await terminal.ended).toBe(0)
    expect((await scene.run('abort', session)).code).toBe(0)
  })

  it('[B82] who looks on has the screen at once and types nothing; the keyboard is taken and given back by the chord', async () => {
    const session = await startPainter()
    const first = startHotlineTerminal(['attach', '--keys', session], scene.env)
    await first.pictures('painted 200x23')
    const second = startHotlineTerminal(['attach', '--keys', session], scene.env)
    await second.pictures('painted 200x23')
    await second.pictures('types here. Ctrl-] k takes the keyboard from them')
    second.type('x')
    await second.pictures('Your keys go nowhere')
    second.resize(100, 10)
    // It does not fit, and whoever has the keyboard says how large it is.
    await second.pictures('has the keyboard')
    await second.pictures('200x23, shown in part')
    second.type(`${chord}k`)
    await second.pictures('painted 100x9')
    await first.pictures('took the keyboard')
    first.type('y')
    await first.pictures('Your keys go nowhere')
    second.type('z')
    await second.pictures('[1;1Rz"')
    second.type(`${chord}k`)
    await first.pictures('Nobody has the keyboard')
    for (const one of [first, second]) one.type(`${chord}q`)
    expect([await first.ended, await second.ended]).toEqual([0, 0])
    const onlooker = startHotlineTerminal(['attach', '--screen', session], scene.env)
    await onlooker.pictures('[1;1Rz"')
    onlooker.type('\u0003')
    expect(await onlooker.ended).toBe(0)
    expect((await scene.run('abort', session)).code).toBe(0)
  })

  it.each(['SIGTERM', 'SIGHUP'] as const)(
    '[B83] the terminal is as it was after %s, and the keyboard is free',
    async (signal) => {
      const session = await startPainter()
      const terminal = inShell(['attach', '--keys', session])
      await terminal.pictures('You have the keyboard')
      process.kill(listProcesses().find(({ ppid }) => ppid === terminal.pid)?.pid ?? 0, signal)
      await terminal.shows(signal === 'SIGTERM' ? 'ended 143' : 'ended 129')
      await terminal.shows('as-before')
      await terminal.ended
      expect(await keyboardOf(session)).toBe('terminal.released')
      expect((await scene.run('abort', session)).code).toBe(0)
    },
  )

  it('[B83] a program that ends gives the terminal back, with what it said last', async () => {
    const terminal = inShell([
      'run',
      '--keys',
      '--cwd',
      scene.dir.path,
      '--',
      process.execPath,
      '--input-type=module',
      '-e',
      painter,
    ])
    await terminal.pictures('painted 200x23')
    terminal.type('Q')
    await terminal.shows('It is over: completed.')
    await terminal.shows('ended 0')
    await terminal.shows('as-before')
    await terminal.ended
    expect(terminal.lines().join('\n')).toContain('farewell')
  })

  it.skipIf(!existsSync('/usr/bin/vim'))('[B81] vim can be used', async () => {
    const file = join(scene.dir.path, 'edited.txt')
    const terminal = startHotlineTerminal(
      [
        'run',
        '--keys',
        '--cwd',
        scene.dir.path,
        '--',
        '/usr/bin/vim',
        '-u',
        'NONE',
        '-n',
        '--cmd',
        'set encoding=utf-8',
        file,
      ],
      scene.env,
    )
    await terminal.pictures('You have the keyboard')
    terminal.type('ione ä 猫\rtwo')
    await terminal.pictures('two')
    expect(terminal.lines()[0]).toBe('one ä 猫')
    terminal.type('\u001b')
    terminal.type(':wq\r')
    expect(await terminal.ended).toBe(0)
    expect(readFileSync(file, 'utf8')).toBe('one ä 猫\ntwo\n')
  })

  it('[B82] what has no terminal, and whoever has none, is refused', async () => {
    const { out } = await scene.run('run', '--detach', '--pipe', '--cwd', scene.dir.path, '--', 'cat')
    const terminal = startHotlineTerminal(['attach', '--keys', out.trim()], scene.env)
    expect(await terminal.ended).toBe(exitCodes.unsupported)
    expect(terminal.screen).toContain('This agent has no terminal.')
    const piped = await scene.run('attach', '--screen', out.trim())
    expect([piped.code, piped.err]).toEqual([exitCodes.invalid, expect.stringContaining('need a terminal')])
    expect((await scene.run('abort', out.trim())).code).toBe(0)
  })
})
