/** How a response is protected. */
export interface Protection {
  /** Over TLS browsers are told to stay with it. */
  tls: 'on' | 'off'
  /** For the page itself: what its own style elements carry. */
  styleNonce?: string
}

/** The headers of every response. Other origins get nothing, but those of `cors.ts`. */
export function securityHeaders(protection: Protection): Record<string, string> {
  const styles = protection.styleNonce === undefined ? '' : ` 'nonce-${protection.styleNonce}'`
  return {
    'content-security-policy': [
      "default-src 'none'",
      "script-src 'self'",
      `style-src 'self'${styles}`,
      "img-src 'self' data: blob:",
      "font-src 'self'",
      "connect-src 'self'",
      "manifest-src 'self'",
      "worker-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'self'",
      "require-trusted-types-for 'script'",
    ].join('; '),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy':
      'camera=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), display-capture=(), microphone=(self), ' +
      'clipboard-write=(self), publickey-credentials-get=(self), publickey-credentials-create=(self)',
    ...(protection.tls === 'on' ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  }
}
