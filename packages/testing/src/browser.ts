import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import type { Browser, Page } from 'playwright-core'
import { isExecutable } from './executable.ts'

/** The environment variable with the path of a Chromium that lies elsewhere. */
export const chromiumVariable = 'HOTLINE_TEST_CHROMIUM'

/** Whether tests can have a browser, and in plain words why not. */
export type BrowserAvailability =
  | { readonly available: true; readonly path: string }
  | { readonly available: false; readonly reason: string }

/** How a page is photographed. */
export interface ScreenshotOptions {
  /** Viewport widths in CSS pixels; 1440 and 390 when absent. */
  widths?: readonly number[]
  /** Both when absent. */
  schemes?: readonly ('light' | 'dark')[]
}

const knownPaths = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** No request to anybody but the page under test, and nothing that needs a display card. */
const quietFlags = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The first that can be started: of what the environment variable names, or else of what is known. */
export function findProgram(variable: string, known: readonly string[]): string | undefined {
  const named = process.env[variable] ?? ''
  return (named === '' ? known : [named]).find(isExecutable)
}

/** Looks for an installed Chromium, so that tests can be skipped with a reason. */
export function browserAvailability(): BrowserAvailability {
  const named = process.env[chromiumVariable] ?? ''
  const path = findProgram(chromiumVariable, knownPaths)
  if (path !== undefined) return { available: true, path }
  const looked = named === '' ? knownPaths.join(', ') : named
  return {
    available: false,
    reason: `no Chromium is installed (looked for ${looked}; ${chromiumVariable} names another)`,
  }
}

/** Opens a headless browser with a new, empty profile. Throws an Error with the reason when there is none. */
export async function openBrowser(): Promise<Browser> {
  const found = browserAvailability()
  if (!found.available) throw new Error(found.reason)
  return chromium.launch({
    executablePath: found.path,
    headless: true,
    // Its sandbox does not work for root.
    chromiumSandbox: process.getuid?.() !== 0,
    args: quietFlags,
  })
}

/** A phone is held upright; everything wider is taken for a desk. */
function heightFor(width: number): number {
  return width < 600 ? 844 : 900
}

/**
 * Photographs what is visible of a page for each width and colour scheme, as `<name>-<width>-<scheme>.png`, and gives
 * the paths. The page's viewport and scheme are afterwards as before.
 */
export async function takeScreenshots(
  page: Page,
  name: string,
  options: ScreenshotOptions,
  directory: string,
): Promise<string[]> {
  const { widths = [1440, 390], schemes = ['light', 'dark'] } = options
  const viewport = page.viewportSize()
  const paths: string[] = []
  await mkdir(directory, { recursive: true })
  try {
    for (const width of widths) {
      await page.setViewportSize({ width, height: heightFor(width) })
      for (const colorScheme of schemes) {
        await page.emulateMedia({ colorScheme })
        // Fonts are loaded on first use, and a new width is laid out in the next frame.
        await page.evaluate('document.fonts.ready.then(() => new Promise(requestAnimationFrame)).then(() => true)')
        const path = join(directory, `${name}-${width}-${colorScheme}.png`)
        await page.screenshot({ path, animations: 'disabled', caret: 'hide' })
        paths.push(path)
      }
    }
  } finally {
    await page.emulateMedia({ colorScheme: null })
    if (viewport !== null) await page.setViewportSize(viewport)
  }
  return paths
}
