/** Whether a JSON text nests deeper than `limit`, told before it is parsed. Brackets inside strings do not count. */
export function isTooDeep(text: string, limit: number): boolean {
  // Nearly every line has few brackets, and to count them is quicker than to read it.
  if (!hasMoreBrackets(text, limit)) return false
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (inString) {
      if (code === 92) at += 1
      else if (code === 34) inString = false
    } else if (code === 34) inString = true
    else if (code === 91 || code === 123) {
      depth += 1
      if (depth > limit) return true
    } else if (code === 93 || code === 125) depth -= 1
  }
  return false
}

function hasMoreBrackets(text: string, limit: number): boolean {
  let count = 0
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      count += 1
      if (count > limit) return true
    }
  }
  return false
}

/** The JSON object in a line; undefined for anything else, and for what nests too deep. */
export function parseObject(text: string, depthLimit: number): Record<string, unknown> | undefined {
  if (isTooDeep(text, depthLimit)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
