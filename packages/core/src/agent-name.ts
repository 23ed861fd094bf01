/** What of a session somebody may call it by. */
interface Named {
  session: string
  title: string
  agent: string
}

const nameChars = 64

/** A title as it can stand in an address: "Fix the login!" is `fix-the-login`. Empty where nothing of it can. */
export function nameOf(title: string): string {
  const plain = title.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()
  return plain
    .replaceAll(/[^a-z0-9_]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, nameChars)
}

/**
 * The sessions that go by a name: the one with this id; otherwise those with this title, as it stands or as `nameOf` has
 * it; otherwise those of the agent that is called so. Several of one kind are for the caller to choose from.
 */
export function goingBy<S extends Named>(name: string, sessions: readonly S[]): readonly S[] {
  const byId = sessions.filter(({ session }) => session === name)
  if (byId.length > 0) return byId
  const wanted = name.toLowerCase()
  const byTitle = sessions.filter(({ title }) => title === name || nameOf(title) === wanted)
  return byTitle.length > 0 ? byTitle : sessions.filter(({ agent }) => agent === name)
}
