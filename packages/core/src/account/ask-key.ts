/** One name for each thing that is asked: ids are one session's own. */
export function askKey(session: string, ask: string): string {
  return `${session}/${ask}`
}
