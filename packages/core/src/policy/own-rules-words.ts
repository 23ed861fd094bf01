/** What it means that an agent has rules of its own, after the name of the file. */
export const ownRulesLead: string =
  'what these allow it does without asking Hotline, and what they deny it refuses by itself. Rules of Hotline never see it.'
