import { z } from 'zod'

/** Absolute, without NUL; the runner checks the rest on its own machine. */
export const FolderPath = z
  .string()
  .min(1)
  .max(4_096)
  .regex(/^(\/|[A-Za-z]:[\\/])[^\u0000-\u001f]*$/, 'must be an absolute path')
