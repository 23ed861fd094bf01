import { whyGuarded } from '../draft/guarded-path.ts'

/** What others run, who one is, and what nobody else is to know; beside the files that keeping a change asks about. */
const secrets: readonly (readonly [RegExp, string])[] = [
  [/(^|\/)\.git(\/|$)/, 'belongs to git'],
  [/(^|\/)\.(env|netrc|pgpass|git-credentials)([^/a-z][^/]*)?$/, 'holds secrets'],
  [/(^|\/)\.(ssh|gnupg|aws|azure|kube|docker)(\/|$)/, 'holds secrets'],
  [/(^|\/)(id_[a-z0-9]+|[^/]*\.(pem|key|p12|pfx))$/, 'holds secrets'],
]

/** Nothing of a path that another file system, or another reader, would take for something else. */
const oddPath = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\\:*?"<>|`$]|\p{Default_Ignorable_Code_Point}|^~|~[0-9]|[. ](?:\/|$)/u

/** Absolute, without `.`, `..` and empty parts; undefined where it leads above everything or from nowhere. */
export function resolvePath(path: string, folder: string | undefined): string | undefined {
  if (path === '') return undefined
  const whole = path.startsWith('/') ? path : folder?.startsWith('/') ? `${folder}/${path}` : undefined
  if (whole === undefined) return undefined
  const parts: string[] = []
  for (const part of whole.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return undefined
    } else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/** From the folder, where it is in there; undefined elsewhere. The folder itself is ``. */
export function withinFolder(path: string, folder: string): string | undefined {
  if (path === folder) return ''
  const start = folder.endsWith('/') ? folder : `${folder}/`
  return path.startsWith(start) ? path.slice(start.length) : undefined
}

/** As the most generous file system would compare it. For rules that ask or deny, and for what is protected. */
export function foldPath(path: string): string {
  return path
    .normalize('NFKC')
    .replace(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '')
    .replaceAll('\\', '/')
    .replace(/^\/proc\/(?:self|thread-self|[0-9]+)\/root(?=\/|$)/i, '')
    .split('/')
    .map((part) => (/^\.{1,2}$/.test(part) ? part : part.replace(/(?:::?\$?[^/]*|[. ]+)$/, '')))
    .join('/')
    .toLowerCase()
}

/** Why a file may not be named so in anything that is allowed without asking; undefined where its name is plain. */
export function whyOddPath(path: string): string | undefined {
  const [found] = oddPath.exec(path.replaceAll(/(^|\/)\.{1,2}(?=\/|$)/g, '$1')) ?? []
  if (found !== undefined) return 'its path has characters that are not read alike everywhere'
  return /^\/(?:proc|dev|sys)(?:\/|$)/i.test(path) ? 'its path leads into what the system makes up' : undefined
}

/** Why a file is never one like any other, in words that end a sentence; undefined where it is one. */
export function whyProtected(path: string): string | undefined {
  const folded = foldPath(path)
  const found = secrets.find(([form]) => form.test(folded))
  return found ? found[1] : whyGuarded(folded, { turnsProgram: false, isLink: false })
}

/** Whether a rule's path, a file or a folder with a slash at its end, is this one or holds it. Both from the same place. */
export function holdsPath(rule: string, path: string): boolean {
  return rule.endsWith('/') ? path.startsWith(rule) || rule === './' : path === rule
}
