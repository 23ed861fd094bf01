/** What a program tells its terminal: sequences that begin with escape, and a return to the beginning of the line. */
// oxlint-disable-next-line no-control-regex -- just these
const controls = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])|\r/g

/** What was printed at a terminal as words, for a line that is read at a glance; the screen itself is drawn elsewhere. */
export function withoutControls(text: string): string {
  return text.replaceAll(controls, '')
}
