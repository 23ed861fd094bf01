// Runs before the first paint, as a file of its own because the page allows no inline script.
;(() => {
  const root = document.documentElement
  try {
    const theme = localStorage.getItem('hotline.theme')
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme
    if (localStorage.getItem('hotline.density') === 'compact') root.dataset.density = 'compact'
  } catch (error) {
    // Storage may be refused (private windows, policies): the system's theme holds.
    console.info('Theme not stored here:', error instanceof Error ? error.name : error)
  }
})()
