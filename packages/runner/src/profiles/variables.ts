import type { Secret } from '../redact.ts'

/** What a proxy or a private certificate needs; every agent that talks to a model gets it. */
export const network: readonly string[] = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
]

/** For models of Anthropic. */
export const anthropic: readonly string[] = [
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'ANTHROPIC_BASE_URL',
  'ANTHROPIC_MODEL',
]
/** For models of OpenAI, and what speaks like them. */
export const openai: readonly string[] = ['OPENAI_API_KEY', 'OPENAI_BASE_URL', 'OPENAI_MODEL']

/** Names that sound like a secret: nobody writes their values into a profile. */
const secretName = /(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$/i

/** Names whose values are masked besides: with a number or the name of a place behind it, and words that are used for less. */
const maskedName =
  /(KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|COOKIES?|JWT|_PWD|(^|_)(PASS|PAT|AUTH|DSN))(_?\d+|_[A-Z]+)?$/i
const isAbout = /_(FILE|PATH|DIR|URL|ID|NAME|LIMIT|MODE|TYPE|HELPER|SOCK)$/i

/** An address with a password in it. */
const signedUrl = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]*:([^\s/?#]+)@/i

/** True where a variable of that name holds a secret, whatever is in it. */
export function isSecretName(name: string): boolean {
  return secretName.test(name)
}

/** What must not be read in what an agent says, of variables that it is handed: values, and passwords in addresses. */
export function secretsAmong(
  variables: Iterable<readonly [name: string, value: string | undefined]>,
): readonly Secret[] {
  const secrets: Secret[] = []
  for (const [name, value = ''] of variables) {
    const [, password] = signedUrl.exec(value) ?? []
    if (password !== undefined) secrets.push({ name, value }, { name, value: password })
    else if (maskedName.test(name) && !isAbout.test(name)) secrets.push({ name, value })
    else if (/PROXY$/i.test(name) && value.includes('@')) secrets.push({ name, value })
  }
  return secrets
}
