/** `host:port`, as the operator writes them: `127.0.0.1:8080`, `[::1]:8080`, `hooks.lan:443`. */
export function isTarget(text: string): boolean {
  const url = URL.parse(`http://${text}/`)
  return url !== null && /:[0-9]{1,5}$/.test(text) && (url.host === text || text === `${url.hostname}:80`)
}
