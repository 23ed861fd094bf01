/** Characters that some file systems pass over when they compare names. */
const ignored = /[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g

/** True for what some file system takes for `.git`: nothing of ours reads or writes such a name. */
export function isGitName(name: string): boolean {
  const plain = name
    .replaceAll(ignored, '')
    .toLowerCase()
    .replace(/[. ]+$/, '')
  return plain === '.git' || plain === 'git~1'
}

/** Folders that are made anew by a command, and that would be most of a snapshot. */
const madeAnew = new Set(['node_modules', '.venv', '__pycache__', '.gradle', '.tox'])

/** What the demonstration agent notes of its sessions, in the folder that it works in. */
const demoNotes = '.hotline-demo'

/** Why a folder is not looked into, by its name. */
export function whyNotInto(name: string): string | undefined {
  if (name === demoNotes) return 'belongs to Hotline'
  return madeAnew.has(name) ? 'is made anew by the tools of the project' : undefined
}
