import type { Page } from 'playwright-core'

/**
 * Begins to watch for words that may be gone again before anybody looks; resolves to what waits until they have been
 * there. It ends with the document: watched for anew after each load.
 */
export async function watchFor(page: Page, words: string): Promise<() => Promise<void>> {
  const seen = await page.evaluateHandle(
    `({
      there: new Promise((resolve) => {
        const look = () => document.body.innerText.includes(${JSON.stringify(words)}) && resolve(true)
        new MutationObserver(look).observe(document.body, { childList: true, characterData: true, subtree: true })
        look()
      }),
    })`,
  )
  return async () => {
    await seen.evaluate((watch) => (watch as { there: Promise<boolean> }).there)
    await seen.dispose()
  }
}
