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

/** Names whose values are secrets: they are masked in everything that the agent says. */
const secretName = /(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|PROXY)$/i

/** True where a variable of that name holds a secret, whatever is in it. */
export function isSecretName(name: string): boolean {
  return secretName.test(name) && !/PROXY$/i.test(name)
}

/** True where the value of a variable must not be read in what an agent says. */
export function isSecret(name: string, value: string): boolean {
  return secretName.test(name) && (!/PROXY$/i.test(name) || value.includes('@'))
}
