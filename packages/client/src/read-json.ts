/** What a text says as JSON; undefined where it is none, as nothing is or a page of something in between. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The caller sees that there is a text and no value.
    return undefined
  }
}
