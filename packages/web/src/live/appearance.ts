/** What a person chooses of how the page looks; kept in this browser, and applied before the first paint by `theme.js`. */
export const themes = ['system', 'light', 'dark'] as const

/** How close lines stand. */
export const densities = ['comfortable', 'compact'] as const

/** `system`: as the machine has it. */
export type Theme = (typeof themes)[number]

/** How close lines stand. */
export type Density = (typeof densities)[number]

/** What was chosen, as the page shows it. */
export function themeNow(): Theme {
  return themes.find((theme) => theme === document.documentElement.dataset['theme']) ?? 'system'
}

/** The same of the density. */
export function densityNow(): Density {
  return document.documentElement.dataset['density'] === 'compact' ? 'compact' : 'comfortable'
}

/** Shows it at once, and keeps it for this browser. */
export function chooseTheme(theme: Theme): void {
  keep('theme', theme === 'system' ? undefined : theme)
}

/** The same of the density. */
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
