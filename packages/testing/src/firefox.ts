import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram } from './browser.ts'
import { type BidiSession, openBidiSession } from './bidi.ts'
import { guardChildren } from './child-guard.ts'
import { openTempDir } from './temp-dir.ts'
import { waitFor } from './wait-for.ts'

/** The environment variable with the path of a Firefox that lies elsewhere. */
export const firefoxVariable = 'HOTLINE_TEST_FIREFOX'

const knownPaths = [
  '/usr/bin/firefox-esr',
  '/usr/bin/firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
] as const

/** No request to anybody but the page under test. */
const quietPreferences: Readonly<Record<string, string | number | boolean>> = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.safebrowsing.update.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'dom.push.connection.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'extensions.systemAddon.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,#remote-settings-dummy/v1',
  'toolkit.telemetry.server': '',
}

/** Time for a browser to start on a busy machine, and for a page to show what is waited for. */
const startDeadlineMs = 60_000
const showDeadlineMs = 20_000

/** What WebDriver calls keys that are no character. */
const keys = { Enter: '\uE007', Escape: '\uE00C', Tab: '\uE004', ArrowDown: '\uE015', ArrowUp: '\uE013' } as const

/** One page in a real Firefox, with a new and empty profile. */
export interface FirefoxPage extends AsyncDisposable {
  goto(url: string): Promise<void>
  reload(): Promise<void>
  /** The value of an expression in the page, as JSON carries it. */
  evaluate<T>(expression: string): Promise<T>
  /** Waits until the page shows the text somewhere; answers all that it shows. */
  see(text: string | RegExp): Promise<string>
  /** Puts the pointer on what the expression finds, and presses its button. */
  click(expression: string): Promise<void>
  /** Presses one key after the other: characters, or a key by its name. */
  type(text: string): Promise<void>
  press(key: keyof typeof keys): Promise<void>
  resize(width: number, height: number): Promise<void>
  /** What the page shows now, as a PNG file. */
  screenshot(path: string): Promise<void>
  /** Errors of the page's scripts, what it wrote to the console as an error, and what its policy refused. */
  complaints(): Promise<readonly string[]>
}

/** Where the installed Firefox is; undefined where there is none. */
export function findFirefox(): string | undefined {
  return findProgram(firefoxVariable, knownPaths)
}

/**
 * Opens a headless Firefox as it is installed. It is spoken to in WebDriver BiDi, its own protocol: what drives our
 * Chromium needs a Firefox that was built for it.
 */
export async function openFirefox(): Promise<FirefoxPage> {
  const path = findFirefox()
  if (path === undefined) throw new Error(`no Firefox is installed (${firefoxVariable} names one that lies elsewhere)`)
  const profile = await openTempDir('hotline-firefox-')
  const guard = guardChildren()
  const close = async (): Promise<void> => {
    await guard[Symbol.asyncDispose]()
    await profile.remove()
  }
  try {
    const lines = Object.entries(quietPreferences).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
    )
    await writeFile(join(profile.path, 'user.js'), lines.join('\n'))
    const child = await guard.startChild({
      command: path,
      args: ['--headless', '--no-remote', '--profile', profile.path, '--remote-debugging-port', '0'],
      env: { HOME: profile.path, MOZ_CRASHREPORTER_DISABLE: '1' },
    })
    const [, address] = await child.waitForLine(/WebDriver BiDi listening on (ws:\S+)/, { deadlineMs: startDeadlineMs })
    const session = await openBidiSession(`${address}/session`)
    return await openPage(session, close)
  } catch (error) {
    await close()
    throw error
  }
}

async function openPage(session: BidiSession, close: () => Promise<void>): Promise<FirefoxPage> {
  const heard: string[] = []
  session.on('log.entryAdded', ({ level, text }) => {
    if (level === 'error') heard.push(String(text))
  })
  await session.send('session.subscribe', { events: ['log.entryAdded'] })
  await session.send('script.addPreloadScript', {
    functionDeclaration: `() => {
      globalThis.refusedByPolicy = []
      addEventListener('securitypolicyviolation', (event) => {
        refusedByPolicy.push(event.violatedDirective + ' ' + event.blockedURI)
      })
    }`,
  })
  const { contexts } = await session.send<{ contexts: { context: string }[] }>('browsingContext.getTree', {})
  const context = contexts[0]?.context

  async function evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await session.send<Evaluated>('script.evaluate', {
      expression: `Promise.resolve(${expression}).then((value) => JSON.stringify(value))`,
      target: { context },
      awaitPromise: true,
      // Copying needs a person's own act.
      userActivation: true,
    })
    if (exceptionDetails) throw new Error(`${exceptionDetails.text} in ${expression}`)
    return result?.value === undefined ? (undefined as T) : (JSON.parse(result.value) as T)
  }
  const act = (actions: object[]): Promise<unknown> => session.send('input.performActions', { context, actions })
  const strike = (values: readonly string[]): Promise<unknown> =>
    act([
      {
        type: 'key',
        id: 'keyboard',
        actions: values.flatMap((value) => [
          { type: 'keyDown', value },
          { type: 'keyUp', value },
        ]),
      },
    ])
  return {
    evaluate,
    goto: async (url) => {
      await session.send('browsingContext.navigate', { context, url, wait: 'complete' })
    },
    reload: async () => {
      await session.send('browsingContext.reload', { context, wait: 'complete' })
    },
    see: (text) =>
      waitFor(
        async () => {
          const shown = await evaluate<string>('document.body.innerText')
          if (typeof text === 'string' ? shown.includes(text) : text.test(shown)) return shown
          throw new Error(`the page shows: ${shown}`)
        },
        { what: `"${text}" in Firefox`, deadlineMs: showDeadlineMs },
      ),
    click: async (expression) => {
      const at = await waitFor(
        () =>
          evaluate<{ x: number; y: number } | null>(`(() => {
            const found = ${expression}
            if (!found || found.disabled) return null
            found.scrollIntoView({ block: 'nearest' })
            const { x, y, width, height } = found.getBoundingClientRect()
            const middle = { x: Math.round(x + width / 2), y: Math.round(y + height / 2) }
            const top = document.elementFromPoint(middle.x, middle.y)
            return top && (found.contains(top) || top.contains(found)) ? middle : null
          })()`),
        { what: `${expression} to be in sight in Firefox`, deadlineMs: showDeadlineMs },
      )
      const pointer = [
        { type: 'pointerMove', ...at },
        { type: 'pointerDown', button: 0 },
        { type: 'pointerUp', button: 0 },
      ]
      await act([{ type: 'pointer', id: 'mouse', actions: pointer }])
    },
    type: async (text) => {
      await strike(Array.from(text))
    },
    press: async (key) => {
      await strike([keys[key]])
    },
    resize: async (width, height) => {
      await session.send('browsingContext.setViewport', { context, viewport: { width, height } })
    },
    screenshot: async (path) => {
      const { data } = await session.send<{ data: string }>('browsingContext.captureScreenshot', { context })
      await writeFile(path, Buffer.from(data, 'base64'))
    },
    complaints: async () => [...heard, ...(await evaluate<string[]>('globalThis.refusedByPolicy ?? []'))],
    [Symbol.asyncDispose]: async () => {
      session.close()
      await close()
    },
  }
}

interface Evaluated {
  result?: { value?: string }
  exceptionDetails?: { text: string }
}
