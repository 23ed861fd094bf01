import { z } from 'zod'

/**
 * A branch that somebody may name: letters and digits of any language, and what is common between them. Narrower than
 * git-check-ref-format(1): nothing of it can be read as an option, as a range of commits, or by a shell.
 */
export const BranchName = z
  .string()
  .max(200)
  .regex(
    /^(?![-/.])(?!HEAD$)(?!.*(?:\.\.|\/\/|\/\.|\.\/|\.lock(?:\/|$)))[\p{L}\p{M}\p{N}_./@+#=,%-]*[\p{L}\p{M}\p{N}_@+#=,%-]$/u,
  )
