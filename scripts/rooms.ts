/**
 * The table of rooms: what each may import of ours, packages and the rooms inside the server. An arrow goes down only;
 * what is not named here is refused. `scripts/test/architecture.test.ts` holds it.
 */
export const packages: Record<string, readonly string[]> = {
  protocol: [],
  core: ['protocol'],
  client: ['protocol', 'core'],
  server: ['protocol', 'core'],
  'demo-agent': [],
  runner: ['protocol', 'core', 'client', 'demo-agent'],
  web: ['protocol', 'core', 'client'],
  cli: ['protocol', 'core', 'client', 'server', 'runner', 'web', 'demo-agent'],
  testing: ['protocol', 'core', 'client', 'server', 'runner', 'demo-agent'],
}

/** Rooms of the server, lowest first. A room may use those before it. */
export const serverRooms: readonly string[] = [
  'config',
  'machine',
  'log',
  'blob',
  'access',
  'session',
  'audit',
  'search',
  'feed',
  'gate',
  'scheduler',
  'ops',
  'http',
  'channels',
]
