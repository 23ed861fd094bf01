/** What a person chooses of how the page looks; kept in this browser, and applied before the first paint by `theme.js`. */
export const themes = ['system', 'light', 'dark'] as const
export const densities = ['comfortable', 'compact'] as const
export type Theme = (typeof themes)[number]
export type Density = (typeof densities)[number]

export function themeNow(): Theme {
  return themes.find((theme) => theme === document.documentElement.dataset['theme']) ?? 'system'
}

export function densityNow(): Density {
  return document.documentElement.dataset['density'] === 'compact' ? 'compact' : 'comfortable'
}

export function chooseTheme(theme: Theme): void {
  keep('theme', theme === 'system' ? undefined : theme)
}

export function chooseDensity(density: Density): void {
  keep('density', density === 'compact' ? density : undefined)
}

/** Undefined: as it is by itself. */
function keep(what: 'theme' | 'density', value: string | undefined): void {
  if (value === undefined) {
    delete document.documentElement.dataset[what]
    localStorage.removeItem(`hotline.${what}`)
  } else {
    document.documentElement.dataset[what] = value
    localStorage.setItem(`hotline.${what}`, value)
  }
}
