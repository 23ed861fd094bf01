/** `{ port: 1, path: undefined }` as `['--port', '1']`: the command line of a program of ours. */
export function toFlags(values: Readonly<Record<string, string | number | undefined>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)]))
}
