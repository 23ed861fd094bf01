/** Facts of a line. Never secrets, never what people or agents wrote. */
export type Facts = Readonly<Record<string, unknown>>

/** What happened here, for whoever runs this machine. */
export interface Log {
  info(message: string, facts?: Facts): void
  warn(message: string, facts?: Facts): void
  error(message: string, facts?: Facts): void
  /** Written only where the area was asked for. */
  debug(area: string, message: string, facts?: Facts): void
}

/** One JSON object a line. `areas` are those of `HOTLINE_DEBUG`; `*` is all. */
export function openLog(write: (line: string) => void, areas: readonly string[]): Log {
  const line = (level: string, message: string, facts: Facts = {}): void =>
    write(`${JSON.stringify({ at: new Date().toISOString(), level, part: 'runner', message, ...facts })}\n`)
  return {
    info: (message, facts) => line('info', message, facts),
    warn: (message, facts) => line('warn', message, facts),
    error: (message, facts) => line('error', message, facts),
    debug: (area, message, facts) => {
      if (areas.includes(area) || areas.includes('*')) line('debug', message, { area, ...facts })
    },
  }
}
