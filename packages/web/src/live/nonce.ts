/** The nonce of this page's policy: style elements that libraries make are accepted only with it. */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.nonce ?? ''
}

/** A document whose style elements carry the nonce, for a library that makes its own. */
export function documentWithNonce(): Document {
  return new Proxy(document, {
    get: (target, name) => {
      if (name === 'createElement') {
        return (tag: string) => {
          const element = target.createElement(tag)
          if (tag === 'style') element.setAttribute('nonce', styleNonce())
          return element
        }
      }
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    },
  })
}
