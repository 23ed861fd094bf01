/** A sequence that is longer than this is taken for one that has no end. */
const charsMax = 64 * 1024

// `ESC [` and its parameters, `ESC` with what stands between, or a string (OSC, DCS and the like) whose end is still to come.
// oxlint-disable-next-line no-control-regex -- that is what it looks for
const open = /\u001b(?:\[[ -?]*|[ -/]*|[\]PX^_][^\u0007\u0018\u001a\u001b]*\u001b?)$/

/** The beginning of a control sequence that a text leaves open at its end, after what was open before; else ''. */
export function openSequence(before: string, text: string): string {
  const [found = ''] = open.exec(before + text) ?? []
  return found.length > charsMax ? '' : found
}
