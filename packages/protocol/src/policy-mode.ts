/** The names of the modes, from the one that asks most. */
export const policyModes = ['ask', 'edits_free', 'hands_free'] as const

/** What is not asked in a session. */
export type PolicyModeName = (typeof policyModes)[number]

/**
 * What holds where no rule fits. `ask`: a person is asked. `edits_free`: changes to files in the session's folder are not
 * asked, but for those that others run or that say what agents may do. `hands_free`: nor is anything else of low or medium
 * risk, until its time is over.
 */
export type PolicyMode = { mode: 'ask' } | { mode: 'edits_free' } | { mode: 'hands_free'; until: string }

/** Minutes for which a session is hands-free: where nobody says otherwise, and at most. */
export const handsFreeMinutes = { usual: 30, most: 480 } as const
