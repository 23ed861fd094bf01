import { z } from 'zod'

/**
 * How far the hold on an agent's processes reaches. `cgroup` and `namespace`: everything that it started, kept together by
 * the kernel; `scan`: what could be found by its ties and its mark; `group`: its process group alone.
 */
export const TreeReach = z.enum(['cgroup', 'namespace', 'scan', 'group'])
export type TreeReach = z.infer<typeof TreeReach>

/** What a process is kept from: files outside of what it works on, or nothing. */
export const FileFence = z.enum(['files', 'none'])
export type FileFence = z.infer<typeof FileFence>

/** One process of an agent, as the kernel told it. */
export const ProcessSample = z.looseObject({
  pid: z.int(),
  /** Its parent; 0 where that is no process of the agent. */
  ppid: z.int(),
  name: z.string().max(64),
  /** CPU time that it used since it began. */
  cpuMs: z.number(),
  /** Resident memory. */
  memoryBytes: z.number(),
  startedAt: z.string(),
})
export type ProcessSample = z.infer<typeof ProcessSample>

/** Processes that are named in one sample; more are only counted. */
export const sampledProcessesMax = 32

/** What the kernel says of an agent's processes at one moment. */
export const TreeSample = z.looseObject({
  at: z.string(),
  reach: TreeReach,
  frozen: z.boolean(),
  /** How many there are, and what all of them use together. */
  count: z.int(),
  cpuMs: z.number(),
  memoryBytes: z.number(),
  /** The first ones, the oldest first. */
  processes: z.array(ProcessSample).max(sampledProcessesMax),
})
export type TreeSample = z.infer<typeof TreeSample>
