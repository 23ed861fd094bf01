import { openAcpDriver } from './acp/acp-driver.ts'
import type { Tee } from './wire/wire.ts'
import type { AdapterName, AgentDriver } from './adapter.ts'
import { openCodexDriver } from './codex/codex-driver.ts'
import { logDriver } from './log/log-driver.ts'
import { mcpDriver } from './mcp/mcp-driver.ts'
import { pipeDriver } from './pipe/pipe-driver.ts'
import { openClaudeDriver } from './claude/claude-driver.ts'
import { ptyDriver } from './pty/pty-driver.ts'

/** What drivers are opened with. `tee` hears every line of an agent, for debugging. */
export interface DriverOptions {
  version: string
  tee?: (session: string) => Tee | undefined
  /** An agent that says nothing for so long in the middle of a turn is said to; otherwise five minutes. */
  silenceMs?: number | undefined
}

/** One driver for each adapter. */
export type Drivers = ReadonlyMap<AdapterName, AgentDriver>

/** The drivers that there are; a further one is a further line. */
export function openDrivers(options: DriverOptions): Drivers {
  const drivers = [
    openAcpDriver(options),
    openClaudeDriver(options),
    openCodexDriver(options),
    ptyDriver,
    pipeDriver,
    logDriver,
    mcpDriver,
  ]
  return new Map(drivers.map((driver) => [driver.adapter, driver]))
}
