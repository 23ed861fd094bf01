/** The nonce of this page's policy: style elements that libraries make are accepted only with it. */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.nonce ?? ''
}

/**
 * Lets a library give its spans a style as an attribute: that the policy forbids, whoever writes it. The same style is set by
 * its properties, which every script of the page may do. For as long as the page lives; done twice, it is done once.
 */
export function styleSpansByProperty(): void {
  if (Object.hasOwn(HTMLSpanElement.prototype, 'setAttribute')) return
  HTMLSpanElement.prototype.setAttribute = function setByProperty(name: string, value: string) {
    if (name === 'style') this.style.cssText = value
    else Element.prototype.setAttribute.call(this, name, value)
  }
}

/**
 * Lets a library that makes style elements of its own do so while it is opened: each carries the nonce from the start. A
 * library that can be given another document uses this page's own all the same in places.
 */
export function makeStylesWithNonce(open: () => void): void {
  const create = document.createElement.bind(document)
  Object.defineProperty(document, 'createElement', {
    configurable: true,
    value: (tag: string, options?: ElementCreationOptions) => {
      const element = create(tag, options)
      if (tag === 'style') element.setAttribute('nonce', styleNonce())
      return element
    },
  })
  try {
    open()
  } finally {
    Reflect.deleteProperty(document, 'createElement')
  }
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
